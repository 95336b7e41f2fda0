package devnet_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// control sends a request to the control API.
func (w *world) control(method, path string, change ...func(*http.Request)) (int, devnet.Status, string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.net.ControlURL()+path, nil)
	require.NoError(w.t, err)
	for _, c := range change {
		c(request)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	var body struct {
		devnet.Status
		Error string `json:"error"`
	}
	if response.Header.Get("Content-Type") == "application/json" {
		require.NoError(w.t, json.NewDecoder(response.Body).Decode(&body))
	}
	return response.StatusCode, body.Status, body.Error
}

func TestControl(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 10, UnlockPeriod: 3})
	ok := func(method, path string) devnet.Status {
		code, status, message := w.control(method, path)
		require.Equal(t, http.StatusOK, code, message)
		require.Equal(t, w.status(), status)
		return status
	}
	require.Equal(t, devnet.Status{Block: 1, L1Block: 1, Round: 1, LastInitializedRound: 1,
		RoundLength: 10, UnlockPeriod: 3, Automine: true}, ok("GET", "/state"))
	require.EqualValues(t, 2, ok("POST", "/mine").Block)
	require.EqualValues(t, 7, ok("POST", "/mine?blocks=5").Block)
	require.EqualValues(t, 11, ok("POST", "/round").Block)
	require.EqualValues(t, 5, ok("POST", "/round?count=3").Round)

	require.False(t, ok("POST", "/automine?on=false").Automine)
	require.NoError(t, w.eth.SendTransaction(t.Context(), w.transfer(0)))
	require.EqualValues(t, 41, ok("GET", "/state").Block)
	require.EqualValues(t, 42, ok("POST", "/automine?on=true").Block)

	ok("POST", "/rounds?on=false")
	require.EqualValues(t, 5, ok("POST", "/mine?blocks=10").LastInitializedRound)
	ok("POST", "/rounds?on=true")
	require.EqualValues(t, 6, ok("POST", "/mine").LastInitializedRound)

	require.True(t, ok("POST", "/pause?on=true").Paused)
	code, _, message := w.control("POST", "/round")
	require.Equal(t, http.StatusConflict, code)
	require.Equal(t, devnet.ErrPaused.Error(), message)
	require.False(t, ok("POST", "/pause?on=false").Paused)
}

func TestControlRefuses(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	for _, path := range []string{
		"/mine?blocks=0", "/mine?blocks=-1", "/mine?blocks=many", "/mine?blocks=100001",
		"/round?count=0", "/automine", "/automine?on=perhaps", "/pause?on=", "/rounds",
		"/recipients/0/active?on=true", "/recipients/x/active?on=true",
	} {
		code, _, message := w.control("POST", path)
		require.Equal(t, http.StatusBadRequest, code, path)
		require.NotEmpty(t, message, path)
	}
	code, _, _ := w.control("GET", "/mine")
	require.Equal(t, http.StatusMethodNotAllowed, code)
	code, _, _ = w.control("POST", "/nothing")
	require.Equal(t, http.StatusNotFound, code)

	// What a web page could send.
	for _, host := range []string{"example.com", "example.com:80", "127.0.0.1.example.com"} {
		code, _, _ = w.control("POST", "/mine", func(r *http.Request) { r.Host = host })
		require.Equal(t, http.StatusForbidden, code, host)
	}
	for _, origin := range []string{"https://example.com", "null"} {
		code, _, _ = w.control("POST", "/mine", func(r *http.Request) { r.Header.Set("Origin", origin) })
		require.Equal(t, http.StatusForbidden, code, origin)
	}
	require.EqualValues(t, 1, w.status().Block, "nothing of this did anything")

	for _, host := range []string{"localhost", "localhost:1", "127.0.0.1", "[::1]", "[::1]:80"} {
		code, _, _ = w.control("GET", "/state", func(r *http.Request) { r.Host = host })
		require.Equal(t, http.StatusOK, code, host)
	}
	code, _, _ = w.control("GET", "/state", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") })
	require.Equal(t, http.StatusOK, code)
}

func TestHandle(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	w.net.Handle("POST /recipient/0/fault", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusTeapot)
	}))
	code, _, _ := w.control("POST", "/recipient/0/fault")
	require.Equal(t, http.StatusTeapot, code)
	code, _, _ = w.control("POST", "/recipient/0/fault", func(r *http.Request) { r.Host = "example.com" })
	require.Equal(t, http.StatusForbidden, code)
}
