package signer

import (
	"cmp"
	"context"
	"crypto/tls"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/systemd"
	"github.com/pmctl/pmctl/wallet"
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
	manager systemd.Manager
	tls     atomic.Pointer[tls.Config]
	// began are the settings that apply at the start alone.
	began wallet.Config

	mu sync.Mutex
}

// reload reads the settings. All of them must be valid, or none is applied.
func (l *reloading) reload(ctx context.Context) (*admin.Reloaded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notify(systemd.Reloading)
	done, err := l.apply(ctx)
	if err != nil {
		l.notify(systemd.Ready, "STATUS=reload refused, see the log")
		l.signer.Log.Error("reload refused: the settings stay as they were", "error", err.Error())
		return nil, err
	}
	l.notify(systemd.Ready, "STATUS=reloaded")
	l.signer.Log.Info("reloaded", "applied", done.Applied, "restart_needed", done.Restart)
	return done, nil
}

// notify tells the service manager what the signer does.
func (l *reloading) notify(states ...string) {
	if err := l.manager.Notify(states...); err != nil {
		l.signer.Log.Warn("the service manager cannot be told", "states", states, "error", err.Error())
	}
}

func (l *reloading) apply(ctx context.Context) (*admin.Reloaded, error) {
	limits, err := l.options.Limits.Limits(l.run.Env)
	if err != nil {
		return nil, err
	}
	now, err := cli.WalletConfig(l.run, &l.options.Network, &l.options.Store)
	if err != nil {
		return nil, err
	}
	from, err := l.options.Account.Named(l.run.Env)
	if err != nil {
		return nil, err
	}
	certificate, err := l.options.tls()
	if err != nil {
		return nil, err
	}
	// Keys of JSON Web Tokens are fetched for as long as the signer runs.
	if err := l.options.authenticate(l.cmd.Context(), l.run.Env, l.signer); err != nil {
		return nil, err
	}
	if err := l.service.Reload(ctx, *l.signer, limits); err != nil {
		return nil, err
	}
	l.tls.Store(certificate)
	done := &admin.Reloaded{Applied: []string{"limits", "budgets"}, Restart: []string{}}
	for _, file := range []struct{ flag, path string }{
		{"tls-cert", l.options.tlsCert}, {"client-ca", l.options.clientCA}, {"jwt-keys", l.options.jwtKeys}, {"webhook-file", l.options.webhookFile},
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
		{"from", l.isAccount(from)},
	} {
		if !setting.same {
			done.Restart = append(done.Restart, setting.name)
		}
	}
	return done, nil
}

// isAccount reports whether a setting names the account that signs, or none.
func (l *reloading) isAccount(from string) bool {
	if from == "" {
		return true
	}
	address, err := l.options.Account.Parse(from)
	return err == nil && address == l.began.Account.Address()
}

// onHangup reloads at each SIGHUP until ctx ends.
func (l *reloading) onHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_, _ = l.reload(ctx) // which the log has
		}
	}
}

// encryption is a TLS configuration that reload can replace; nil where there is none.
func (l *reloading) encryption() *tls.Config {
	first := l.tls.Load()
	if first == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: first.MinVersion, NextProtos: first.NextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return cmp.Or(l.tls.Load(), first), nil },
	}
}
