package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/internal/loopback"
)

// maxPerRequest limits the blocks or rounds of one request.
const maxPerRequest = 100_000

// control is the control API: HTTP on 127.0.0.1, one resource per verb, answers in JSON. Each
// call answers once it has taken effect, with the resulting Status.
//
//	GET  /state              the network's state
//	POST /mine?blocks=N      mine blocks (1)
//	POST /round?count=N      mine into the next round, N times (1)
//	POST /reorg?blocks=N     replace the last N blocks (1) by N+1 without their transactions
//	POST /automine?on=BOOL   mine a block per transaction, or wait for /mine
//	POST /rounds?on=BOOL     initialize rounds as they begin, or not
//	POST /pause?on=BOOL      pause or unpause the contracts
//	POST /recipients/N/active?on=BOOL   add recipient N to the active pool, or remove it
//
// Recipients add routes of their own.
type control struct {
	url    string
	mux    *http.ServeMux
	server *http.Server
	served chan error
}

func startControl(d *Devnet, port int) (*control, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("control API: %w", err)
	}
	c := &control{
		url:    "http://" + listener.Addr().String(),
		mux:    http.NewServeMux(),
		served: make(chan error, 1),
	}
	c.server = &http.Server{Handler: localOnly(c.mux), ReadHeaderTimeout: 10 * time.Second}

	handle := func(pattern string, act func(*http.Request) error) {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, err := Status{}, act(r)
			if err == nil {
				status, err = d.Status(r.Context())
			}
			answer(w, status, err)
		})
	}
	handle("GET /state", func(*http.Request) error { return nil })
	handle("POST /mine", numbered("blocks", d.Mine))
	handle("POST /round", numbered("count", d.NextRound))
	handle("POST /reorg", numbered("blocks", d.Reorg))
	handle("POST /automine", switched(d.SetAutomine))
	handle("POST /pause", switched(d.SetPaused))
	handle("POST /recipients/{index}/active", func(r *http.Request) error {
		index, err := strconv.ParseUint(r.PathValue("index"), 10, 31)
		all := d.Recipients()
		if err != nil || index >= uint64(len(all)) {
			return fmt.Errorf("%w: recipient %q is not one of %d", errBadRequest, r.PathValue("index"), len(all))
		}
		address := all[index].State().Address
		return switched(func(ctx context.Context, on bool) error {
			if on {
				return d.AddTranscoder(ctx, address)
			}
			return d.DeactivateTranscoder(ctx, address)
		})(r)
	})
	handle("POST /rounds", switched(func(_ context.Context, on bool) error {
		d.SetKeepRounds(on)
		return nil
	}))

	go func() { c.served <- c.server.Serve(listener) }()
	return c, nil
}

// close closes all connections and returns once the server has ended.
func (c *control) close() error {
	err := c.server.Close()
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// errBadRequest is wrapped by errors about the caller's request.
var errBadRequest = errors.New("bad request")

// numbered is an action with a positive number, 1 if the parameter is absent.
func numbered(name string, act func(context.Context, uint64) error) func(*http.Request) error {
	return func(r *http.Request) error {
		n := uint64(1)
		if text := r.URL.Query().Get(name); text != "" {
			var err error
			if n, err = strconv.ParseUint(text, 10, 64); err != nil || n == 0 || n > maxPerRequest {
				return fmt.Errorf("%w: %s=%s is not a number from 1 to %d", errBadRequest, name, text, maxPerRequest)
			}
		}
		return act(r.Context(), n)
	}
}

// switched is an action with on=true or on=false.
func switched(act func(context.Context, bool) error) func(*http.Request) error {
	return func(r *http.Request) error {
		on, err := strconv.ParseBool(r.URL.Query().Get("on"))
		if err != nil {
			return fmt.Errorf("%w: pass on=true or on=false", errBadRequest)
		}
		return act(r.Context(), on)
	}
}

// answer writes the status, or the error as {"error": "…"}.
func answer(w http.ResponseWriter, status Status, err error) {
	var body any = status
	code := http.StatusOK
	if err != nil {
		body = map[string]string{"error": err.Error()}
		code = http.StatusInternalServerError
		if errors.Is(err, errBadRequest) {
			code = http.StatusBadRequest
		} else if errors.Is(err, ErrPaused) {
			code = http.StatusConflict
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a client that has disconnected needs no answer
}

// localOnly rejects requests that a web page could send: under another name than this machine's
// own, or on behalf of another site.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if !loopback.IsHost(r.Host) || origin != "" && !localOrigin(origin) {
			http.Error(w, "the control API serves this machine only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && loopback.IsHost(u.Host)
}
