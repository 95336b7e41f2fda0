package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
)

// networkOptions choose the network and the node that it is read through.
type networkOptions struct {
	network    string
	rpcURL     string
	controller string
	chainID    uint64
	timeout    time.Duration
	verbose    bool

	// acceptContracts has other contracts replace the pinned ones.
	acceptContracts bool
}

func (o *networkOptions) register(cmd *cobra.Command) {
	o.registerNetwork(cmd)
	o.registerNode(cmd)
	o.registerTimeout(cmd)
}

func (o *networkOptions) registerNode(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.rpcURL, "rpc-url", "", "`URL` of an Ethereum JSON-RPC node (default $ETH_RPC_URL)")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show each request to a node on stderr, with its time")
}

// registerNetwork is register for commands that ask no node.
func (o *networkOptions) registerNetwork(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.network, "network", "", "`NAME` of the network: "+chain.ArbitrumOne+" or "+chain.Devnet+" (default $PMCTL_NETWORK, else "+chain.ArbitrumOne+")")
	cmd.Flags().StringVar(&o.controller, "controller", "", "`ADDRESS` of the registry contract of a network that has no name; goes with --chain-id")
	cmd.Flags().Uint64Var(&o.chainID, "chain-id", 0, "`ID` of the chain of a network that has no name; goes with --controller")
	cmd.MarkFlagsRequiredTogether("controller", "chain-id")
	cmd.MarkFlagsMutuallyExclusive("network", "controller")
}

func (o *networkOptions) registerTimeout(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&o.timeout, "timeout", 2*time.Minute, "give up waiting for others after this `TIME`, such as 30s or 5m")
}

// bound returns a context that ends after --timeout.
func (o *networkOptions) bound(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := o.checkTimeout(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	return ctx, cancel, nil
}

func (o *networkOptions) checkTimeout() error {
	if o.timeout <= 0 {
		return usagef("--timeout %s: it must be more than 0", o.timeout)
	}
	return nil
}

// choose returns the network and the URLs of its nodes, the preferred one first; none
// when none is named.
func (o *networkOptions) choose(env *Env) (chain.Network, []string, error) {
	network, err := o.chooseNetwork(env)
	if err != nil {
		return chain.Network{}, nil, err
	}
	urls, _, err := o.nodes(env, network)
	if len(urls) > 0 {
		network.RPCURL = urls[0]
	}
	return network, urls, err
}

// nodes returns the URLs of a network's nodes, and what names them.
func (o *networkOptions) nodes(env *Env, network chain.Network) (urls []string, from string, err error) {
	switch {
	case o.rpcURL != "":
		return []string{o.rpcURL}, "--rpc-url", nil
	case network.RPCURL != "":
		return []string{network.RPCURL}, "the local network", nil
	}
	if url := env.Getenv(envRPCURL); url != "" {
		return []string{url}, envRPCURL, nil
	}
	settings, err := env.settings()
	if err != nil {
		return nil, "", err
	}
	for _, layer := range settings.layers {
		if len(layer.RPCURLs) > 0 {
			return layer.RPCURLs, layer.place("rpc_urls"), nil
		}
	}
	return nil, theDefault, nil
}

func (o *networkOptions) chooseNetwork(env *Env) (chain.Network, error) {
	if o.controller != "" {
		controller, err := parseAddress("--controller", o.controller)
		if err != nil {
			return chain.Network{}, err
		}
		return chain.NetworkAt(o.chainID, controller), nil
	}
	name, _, err := env.find(o.network, settingNetwork())
	if err != nil {
		return chain.Network{}, err
	}
	switch name {
	case chain.Devnet:
		path, err := devnetStatePath(env)
		if err != nil {
			return chain.Network{}, err
		}
		state, err := chain.ReadDevnetState(path)
		if err != nil {
			return chain.Network{}, err
		}
		return state.Network(), nil
	case "":
		name = chain.ArbitrumOne
	}
	network, err := chain.NamedNetwork(name)
	if err != nil {
		return chain.Network{}, &usageError{err}
	}
	return network, nil
}

// devnetStatePath is where a local network tells where it is.
func devnetStatePath(env *Env) (string, error) {
	if path := env.Getenv("PMCTL_DEVNET_STATE"); path != "" {
		return path, nil
	}
	dir, err := env.xdg("XDG_STATE_HOME", ".local/state", "PMCTL_DEVNET_STATE")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "devnet.json"), nil
}

// dial prepares to read the chosen network.
func (o *networkOptions) dial(ctx context.Context, env *Env) (*chain.Client, error) {
	network, urls, err := o.choose(env)
	if err != nil {
		return nil, err
	}
	return o.dialNetwork(ctx, env, network, urls)
}

// dialNetwork is dial for a network whose nodes are known.
func (o *networkOptions) dialNetwork(ctx context.Context, env *Env, network chain.Network, urls []string) (*chain.Client, error) {
	return o.reading(env, network, urls).Dial(ctx)
}

// reading is the part of a wallet's Config that says how a network is read.
func (o *networkOptions) reading(env *Env, network chain.Network, urls []string) wallet.Config {
	config := wallet.Config{Network: network, Nodes: urls}
	if o.verbose {
		config.OnRequest = func(e chain.Exchange) { fmt.Fprintln(env.Err, exchangeLine(e)) }
	}
	if folder, err := env.cacheDir(); err == nil {
		config.CacheDir = folder
	}
	return config
}

// exchangeLine is a request to a node as --verbose shows it.
func exchangeLine(e chain.Exchange) string {
	counts := make(map[string]int)
	var methods []string
	for _, method := range e.Methods {
		if counts[method]++; counts[method] == 1 {
			methods = append(methods, method)
		}
	}
	for i, method := range methods {
		if n := counts[method]; n > 1 {
			methods[i] = fmt.Sprintf("%d × %s", n, method)
		}
	}
	outcome := "answered"
	if e.Err != nil {
		outcome = e.Err.Error()
	}
	return fmt.Sprintf("node      %s: %s: %d ms: %s", e.URL, strings.Join(methods, ", "), e.Took.Milliseconds(), outcome)
}
