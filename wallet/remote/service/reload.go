package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"github.com/pmctl/pmctl/internal/systemd"
	"github.com/pmctl/pmctl/wallet/remote/admin"
)

var errNoReload = errors.New("the settings of this signer are fixed: restart it to change them")

// reload applies the settings. All of them must be valid, or none is applied.
func (s *served) reload(ctx context.Context) (*admin.Reloaded, error) {
	if s.Reload == nil {
		return nil, errNoReload
	}
	s.reloads.Lock()
	defer s.reloads.Unlock()
	s.notify(systemd.Reloading())
	done, encrypted, err := s.Reload(ctx)
	if err != nil {
		s.notify(systemd.Ready, "STATUS=reload refused, see the log")
		s.Log.Error("reload refused: the settings stay as they were", "error", err.Error())
		return nil, err
	}
	s.use(encrypted)
	s.notify(systemd.Ready, "STATUS=reloaded")
	s.Log.Info("reloaded", "applied", done.Applied, "restart_needed", done.Restart)
	return done, nil
}

// onHangup reloads at each hangup until ctx ends, or ends the signer.
func (s *served) onHangup(ctx context.Context, end context.CancelFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.Hangups:
			if s.Deserted != nil && s.Deserted() {
				end()
				return
			}
			_, _ = s.reload(ctx) // which the log has
		}
	}
}

// notify tells the service manager what the signer does.
func (s *served) notify(states ...string) {
	if err := s.manager.Notify(states...); err != nil {
		s.Log.Warn("the service manager cannot be told", "states", states, "error", err.Error())
	}
}

// use encrypts later connections as c says. A certificate that has expired is used, too: some clients accept it.
func (s *served) use(c *tls.Config) {
	s.tls.Store(c)
	leaf := s.certificate()
	if now := time.Now(); leaf != nil && (now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)) {
		s.Log.Warn("clients that check the server's certificate refuse it", "valid_from", leaf.NotBefore, "valid_until", leaf.NotAfter)
	}
}

// certificate is what later connections show; nil for none.
func (s *served) certificate() *x509.Certificate {
	c := s.tls.Load()
	if c == nil || len(c.Certificates) == 0 {
		return nil
	}
	return c.Certificates[0].Leaf
}

// encrypt adds TLS, whose configuration reload can replace, where there is one.
func (s *served) encrypt(l net.Listener) net.Listener {
	first := s.tls.Load()
	if first == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: first.MinVersion, NextProtos: first.NextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return cmp.Or(s.tls.Load(), first), nil },
	})
}
