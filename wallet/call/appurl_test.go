package call

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/pay"
)

// TestAnAppThatIsNoURL is not used: a command would read the file that it names, or take it for an option.
func TestAnAppThatIsNoURL(t *testing.T) {
	for _, app := range []string{"file:///etc/passwd", "--config=/tmp/x", "http://localhost:47157/app", "https://0.0.0.0/app", "unix:///run/s", ""} {
		t.Run(app, func(t *testing.T) {
			caller, _, r, clock := captured(t)
			caller.After = clock.Past
			c := r.all["lv1: reserved with the payment"]
			var err error
			c.Response.Body, err = json.Marshal(Session{ID: "6a5ce404", AppURL: app, ControlURL: "https://localhost:47157/apps/lv1/session/6a5ce404"})
			require.NoError(t, err)
			r.all["lv1: reserved with the payment"] = c
			used := false
			_, err = caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{
				For: time.Second, Run: func(context.Context, Session) error { used = true; return nil },
			})
			require.ErrorIs(t, err, pay.ErrMalformed)
			require.ErrorContains(t, err, "is not the URL of an app that can be reached from here")
			require.False(t, used)
			require.Equal(t, "lv1: stop", r.seen[len(r.seen)-1], "%v", r.seen)
		})
	}
}

// TestASessionThatIsNotNamed is the one that was paid, and its app is used.
func TestASessionThatIsNotNamed(t *testing.T) {
	caller, _, r, clock := captured(t)
	caller.After = clock.Past
	const app = "https://localhost:47157/apps/lv1/session/6a5ce404/app"
	c := r.all["lv1: reserved with the payment"]
	c.Response.Body = json.RawMessage(`{"app_url":"` + app + `"}`)
	r.all["lv1: reserved with the payment"] = c
	result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{For: time.Second})
	require.NoError(t, err)
	require.Equal(t, &Session{"6a5ce404", app, "https://localhost:47157/apps/lv1/session/6a5ce404"}, result.Session)
}
