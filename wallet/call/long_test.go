package call

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/pay"
)

// TestAnAnswerThatIsTooLong is an orchestrator's own answer that is not read to its end: its beginning is
// neither a whole answer nor passed on as one. Of a refusal only the beginning is shown.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	long := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write(append([]byte("{}"), bytes.Repeat([]byte(" "), maxAnswer)...))
		}
	}
	served := func(t *testing.T, status int) *Caller {
		caller, _, _, _ := captured(t)
		caller.HTTP = servedAt(t, long(status))
		return caller
	}
	const says = "it has more than 1048576 bytes"

	t.Run("challenge", func(t *testing.T) {
		_, err := served(t, http.StatusPaymentRequired).Call(t.Context(), echoed(t))
		require.ErrorIs(t, err, pay.ErrMalformed)
		require.NotErrorIs(t, err, pay.ErrUnreachable)
		require.ErrorContains(t, err, says)
	})
	t.Run("paid session", func(t *testing.T) {
		caller := answeredBy(t, long(http.StatusNotFound))
		caller.Answered = func(*http.Response) error { require.Fail(t, "a part was passed on"); return nil }
		_, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{})
		require.ErrorIs(t, err, pay.ErrMalformed)
		require.ErrorContains(t, err, says)
	})
	u, err := pay.ParseURL("https://localhost:47157")
	require.NoError(t, err)
	posted := func(t *testing.T, status int) error {
		_, answer, sent, err := served(t, status).post(t.Context(), answerTimeout, u, u.String()+"/refresh-payment", make(http.Header), nil)
		require.True(t, sent)
		require.True(t, strings.HasPrefix(string(answer), "{}"))
		return err
	}
	t.Run("success", func(t *testing.T) {
		err := posted(t, http.StatusOK)
		require.ErrorIs(t, err, pay.ErrMalformed)
		require.ErrorContains(t, err, says)
	})
	t.Run("refusal", func(t *testing.T) { require.NoError(t, posted(t, http.StatusGone)) })
}
