package remote

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds of a listener. A request is small and its answer ready in milliseconds, but for what
// an auth webhook takes.
const (
	maxConnections    = 4096
	maxHeader         = 64 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	answerPatience    = 25 * time.Second // an answer after writeTimeout is none: the connection is closed
	idleTimeout       = 2 * time.Minute
)

// Serve answers requests on a listener until ctx ends or the listener fails; those that are under way are
// then answered, for at most drain. The log gets a line for each connection that fails before its
// request, and one if requests were not answered in that time; nil is for none.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, drain time.Duration, log *slog.Logger) error {
	log = cmp.Or(log, slog.New(slog.DiscardHandler))
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	limited := limit(server, l, maxConnections)
	go func() { ended <- server.Serve(limited) }()
	select {
	case failed := <-ended:
		ended <- failed
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(draining)
	if err != nil {
		closed := server.Close()
		if errors.Is(err, context.DeadlineExceeded) { // it was stopped as it should be
			log.Warn("requests under way were not answered in time: their connections were closed", "drain_ms", drain.Milliseconds())
			err = nil
		}
		err = errors.Join(err, closed)
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
