package signer

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/remote/admin"
)

// reloading reads the settings of a signer that runs again: the config files' limits, and the
// files that the command line names.
type reloading struct {
	run     *cli.Run
	cmd     *cobra.Command
	options *serveOptions
	service *wallet.RemoteSigner
	signer  *wallet.RemoteSignerOptions
	// files are the config files as they were read last.
	files *config.Settings
	// began are the settings that apply at the start alone.
	began wallet.Config
}

func (l *reloading) apply(ctx context.Context) (*admin.Reloaded, *tls.Config, error) {
	files, err := l.run.Settings()
	if err != nil {
		return nil, nil, err
	}
	if path := files.Without(l.files); path != "" {
		return nil, nil, fmt.Errorf("there is no config file %s any more: write an empty one to lift its limits", path)
	}
	limits, err := l.options.Limits.Limits(l.run.Env)
	if err != nil {
		return nil, nil, err
	}
	now, err := cli.WalletConfig(l.run, &l.options.WalletOptions)
	if err != nil {
		return nil, nil, err
	}
	from, err := l.options.Account.Named(l.run.Env)
	if err != nil {
		return nil, nil, err
	}
	certificate, authorities, err := l.options.tls()
	if err != nil {
		return nil, nil, err
	}
	// Keys of JSON Web Tokens are fetched for as long as the signer runs.
	if err := l.options.authenticate(l.cmd.Context(), l.run.Env, authorities, l.signer); err != nil {
		return nil, nil, err
	}
	if err := l.service.Reload(ctx, *l.signer, limits); err != nil {
		return nil, nil, err
	}
	l.files = files
	keys := l.options.jwtKeys
	if issuer := l.options.issuer; issuer != nil {
		// The issuer's server may be down: limits that were lowered apply all the same.
		if err := issuer.Renew(ctx); err != nil {
			l.signer.Log.Warn("the keys that were fetched before stay accepted", "error", err.Error())
			keys = ""
		}
	}
	done := &admin.Reloaded{Applied: []string{"limits", "budgets"}, Restart: []string{}}
	for _, file := range []struct{ flag, path string }{
		{"tls-cert", l.options.tlsCert}, {"client-ca", l.options.clientCA}, {"jwt-keys", keys}, {"webhook-file", l.options.webhookFile},
	} {
		if file.path != "" {
			done.Applied = append(done.Applied, file.flag)
		}
	}
	for _, setting := range []struct {
		name string
		same bool
	}{
		{"network", now.Network.Name == l.began.Network.Name && now.Network.ChainID == l.began.Network.ChainID},
		{"rpc_urls", slices.Equal(now.Nodes, l.began.Nodes)},
		{"store", now.Store == l.began.Store},
		{"from", from == nil || *from == l.began.Account.Address()},
	} {
		if !setting.same {
			done.Restart = append(done.Restart, setting.name)
		}
	}
	return done, certificate, nil
}
