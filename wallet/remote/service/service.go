// Package service runs a remote signer as a server: its listeners, TLS, reloads, and notices to the
// service manager.
package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pmctl/pmctl/internal/systemd"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/admin"
)

// Signer is what is served; *wallet.RemoteSigner is one.
type Signer interface {
	admin.Signer
	Handler() http.Handler
	Run(context.Context)
	Alive() bool
}

// Config says how a signer is served.
type Config struct {
	Signer Signer

	// Listener is where clients ask. Serve closes it.
	Listener net.Listener

	// TLS encrypts what leaves the machine; nil leaves it as it is.
	TLS *tls.Config

	// Drain bounds how long requests under way are answered for when the signer is stopped.
	Drain time.Duration

	// Admin is where operators and monitors ask; nil is nowhere.
	Admin *Admin

	// Reload applies the settings as they are now, and returns the TLS configuration that replaces
	// the one there was. It fails without a change where they are not valid. It is called at each
	// value of Hangups, and by POST /reload of the admin listener. Both may be nil.
	Reload  func(context.Context) (*admin.Reloaded, *tls.Config, error)
	Hangups <-chan os.Signal

	// Deserted reports whether a hangup is that of the terminal with the log, which was closed: it ends the
	// signer. Nil is never.
	Deserted func() bool

	// Getenv has the variables with which a service manager names itself; nil is for none.
	Getenv func(string) string

	// Log gets a line when the signer is ready, with About, when it reloads and when it ends; nil is
	// for none.
	Log   *slog.Logger
	About []any
}

// Admin is the listener of operators and monitors, which Serve closes.
type Admin struct {
	Listener net.Listener
	// Recorder observes the signer's answers; nil is one that nothing observes with.
	Recorder *admin.Recorder
	// Token must be sent by all; "" lets in those on this machine.
	Token string
}

// adminDrain bounds what is under way on the admin listener when the signer ends.
const adminDrain = time.Second

// Serve answers requests until ctx ends, and then those that are under way. It fails as the clients'
// listener does. It serves whatever listener it is given: CheckExposure says first whether others
// could pay through it, or read along.
func Serve(ctx context.Context, c Config) error {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	s := &served{Config: c}
	ctx, end := context.WithCancel(ctx)
	defer end()
	if c.Getenv != nil {
		s.manager = systemd.FromEnvironment(c.Getenv)
	}
	s.use(c.TLS)
	listener := s.encrypt(c.Listener)
	defer listener.Close()
	// What runs beside the listener ends after it.
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	ready := append([]any{"listen", listener.Addr().String()}, c.About...)
	ready = append(ready, "tls", c.TLS != nil)
	if c.Admin != nil {
		watched := c.Admin.Listener
		if !IsLoopback(Address(watched)) {
			watched = s.encrypt(watched)
		}
		ready = append(ready, "admin", watched.Addr().String())
		handler := admin.Handler(admin.Config{
			Signer: c.Signer, Recorder: c.Admin.Recorder, Reload: s.reload, Token: c.Admin.Token,
			Certificate: s.certificate, Stopping: func() bool { return ctx.Err() != nil },
		})
		running.Go(func() {
			if err := remote.Serve(beside, watched, handler, adminDrain, c.Log); err != nil {
				c.Log.Error("the admin listener ended", "error", err.Error())
			}
		})
	}
	running.Go(func() { c.Signer.Run(beside) })
	running.Go(func() { s.onHangup(beside, end) })
	running.Go(func() { s.manager.Watch(beside, c.Signer.Alive) })
	c.Log.Info("ready", ready...)
	s.notify(systemd.Ready)
	running.Go(func() {
		select {
		case <-ctx.Done():
		case <-beside.Done():
		}
		s.notify(systemd.Stopping)
	})
	err := remote.Serve(ctx, listener, c.Signer.Handler(), c.Drain, c.Log)
	if err == nil {
		c.Log.Info("stopped")
	}
	return err
}

// served is a signer that runs.
type served struct {
	Config
	manager systemd.Manager
	tls     atomic.Pointer[tls.Config]
	// reloads are one after the other.
	reloads sync.Mutex
}
