package cli

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
)

// NetworkOptions choose the network and the node that it is read through.
type NetworkOptions struct {
	Network    string
	rpcURL     string
	Controller string
	ChainID    uint64
	Timeout    time.Duration

	// acceptContracts has other contracts replace the pinned ones.
	acceptContracts bool
}

// Register adds the flags to a command.
func (o *NetworkOptions) Register(cmd *cobra.Command) {
	o.RegisterNetwork(cmd)
	o.RegisterNode(cmd)
	cmd.Flags().DurationVar(&o.Timeout, "timeout", 2*time.Minute, "give up on the node or the recipient after `DURATION`: 30s, 5m")
	dialect.InGroup(cmd, dialect.NetworkFlags, "timeout")
}

// RegisterNode is Register for the node alone.
func (o *NetworkOptions) RegisterNode(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.rpcURL, "rpc-url", "", "`URL` of an Ethereum JSON-RPC node (default $ETH_RPC_URL, else rpc_urls in the config file)")
	dialect.InGroup(cmd, dialect.NetworkFlags, "rpc-url")
}

// RegisterNetwork is register for commands that ask no node.
func (o *NetworkOptions) RegisterNetwork(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Network, "network", "", "`NAME` of the network: "+wallet.ArbitrumOne+" or "+wallet.Devnet+" (default $PMCTL_NETWORK, else "+wallet.ArbitrumOne+")")
	cmd.Flags().StringVar(&o.Controller, "controller", "", "`ADDRESS` of the Controller contract of a network without a name; requires --chain-id")
	cmd.Flags().Uint64Var(&o.ChainID, "chain-id", 0, "chain `ID` of a network without a name; requires --controller")
	dialect.InGroup(cmd, dialect.NetworkFlags, "network", "controller", "chain-id")
	dialect.Relate(cmd, dialect.Together, "controller", "chain-id")
	dialect.Relate(cmd, dialect.Exclusive, "network", "controller")
}

// RegisterContracts is for commands that sign or send.
func (o *NetworkOptions) RegisterContracts(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.acceptContracts, "accept-contracts", false,
		"accept and pin contracts that differ from those first seen on this network; those of "+wallet.ArbitrumOne+" never change")
	dialect.InGroup(cmd, dialect.NetworkFlags, "accept-contracts")
}

// CheckTimeout refuses a --timeout that is none.
func (o *NetworkOptions) CheckTimeout() error {
	if o.Timeout <= 0 {
		return Usagef("--timeout %s: it must be more than 0", duration.Text(o.Timeout))
	}
	return nil
}

// Nodes returns the URLs of a network's nodes, and what names them.
func (o *NetworkOptions) Nodes(env *Env, network wallet.Network) (urls []string, from string, err error) {
	switch {
	case o.rpcURL != "":
		return []string{o.rpcURL}, "--rpc-url", nil
	case network.RPCURL != "":
		return []string{network.RPCURL}, "the local network", nil
	}
	if url := env.Getenv(envRPCURL); url != "" {
		return []string{url}, envRPCURL, nil
	}
	settings, err := env.Settings()
	if err != nil {
		return nil, "", err
	}
	for _, layer := range settings.Layers {
		if len(layer.RPCURLs) > 0 {
			return layer.RPCURLs, layer.Place("rpc_urls"), nil
		}
	}
	return nil, TheDefault, nil
}

// ChooseNetwork returns the network, without its nodes.
func (o *NetworkOptions) ChooseNetwork(env *Env) (wallet.Network, error) {
	if o.Controller != "" {
		controller, err := ParseAddress("--controller", o.Controller)
		if err != nil {
			return wallet.Network{}, err
		}
		return wallet.NetworkAt(o.ChainID, controller), nil
	}
	name, from, err := env.Find(o.Network, SettingNetwork())
	if err != nil {
		return wallet.Network{}, err
	}
	switch name {
	case wallet.Devnet:
		path, err := devnetStatePath(env)
		if err != nil {
			return wallet.Network{}, err
		}
		return wallet.DevnetAt(path)
	case "":
		name = wallet.ArbitrumOne
	}
	network, err := wallet.NamedNetwork(name)
	if err != nil {
		return wallet.Network{}, Usagef("%s: %w", from, err)
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
