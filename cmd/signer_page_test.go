package cmd

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/metrics/metricstest"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// watchedSigner is a signer with clients, a payment, refusals and a forecast.
func watchedSigner(t *testing.T) *remoteSigner {
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio --ev-per-day 20000gwei --ev-total 1eth")["token"].(string)
	s.run(exitDone, "signer client add a-client-whose-name-has-the-sixty-four-letters-that-are-allowed")
	s.run(exitDone, "signer client revoke a-client-whose-name-has-the-sixty-four-letters-that-are-allowed")
	s.serveSigner("").stop()
	r := s.serveSigner("--admin-listen 127.0.0.1:0")
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	code, _ = r.post("/generate-live-payment", token, map[string]any{"orchestrator": []byte("<script>alert(1)</script>")})
	require.Equal(t, http.StatusBadRequest, code)
	require.Eventually(t, func() bool {
		status, _ := r.watch(http.MethodGet, "/runway.svg")
		return status == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	return r
}

// TestASignersPage: the page shows clients, refusals, sessions and the runway, loads nothing from
// elsewhere, and has no script.
func TestASignersPage(t *testing.T) {
	t.Parallel()
	r := watchedSigner(t)
	response, err := http.Get(r.admin + "/")
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	policy := response.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.NotContains(t, policy, "unsafe")
	_, page := r.watch(http.MethodGet, "/")
	for _, want := range []string{`<span class="verdict good">ready</span>`, "1 ETH", "studio", "of 20000 gwei", " left", "revoked", `data-label="Status">400<`, `src="runway.svg"`, "this one", `data-label="State">alive<`, `data-label="State">stopped<`} {
		require.Contains(t, page, want)
	}
	require.Regexp(t, `<td data-label="Payments" class="amount">1</td>`, page)
	for _, named := range regexp.MustCompile(`<(?:table|meter)[^>]*>`).FindAllString(page, -1) {
		require.Contains(t, named, ` aria-label="`, "a screen reader says what it is")
	}
	require.NotContains(t, page, "<script")
	require.Empty(t, regexp.MustCompile(`(?:src|href)="(?:https?:)?//`).FindAllString(page, -1))
	status, _ := r.watch(http.MethodPost, "/")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	status, style := r.watch(http.MethodGet, "/style.css")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, style, "prefers-color-scheme:dark")
}

// TestASignerIsWatchedWithoutItsStore: what the store has is left out, not shown as nothing, and the
// metrics stay the same time series.
func TestASignerIsWatchedWithoutItsStore(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	location := server.Database(t)
	s.env["PMCTL_STORE"] = location
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	s.run(exitDone, "signer client add studio")
	r := s.serveSigner("--admin-listen 127.0.0.1:0")
	code, _ := r.post("/generate-live-payment", "", nil)
	require.Equal(t, http.StatusUnauthorized, code)
	pgtest.Exec(t, location, "ALTER TABLE pmctl.signer_clients RENAME TO away")

	_, page := r.watch(http.MethodGet, "/")
	require.Contains(t, page, "The store cannot be read, so clients, replicas and sessions are not shown: ")
	for _, part := range []string{"No clients", "None.", "<h2>Clients", "<h2>Replicas", "<h2>Sessions"} {
		require.NotContains(t, page, part)
	}
	for _, known := range []string{"<dt>Deposit</dt><dd>1 ETH", "on devnet", "the request has no credentials"} {
		require.Contains(t, page, known)
	}
	status, text := r.watch(http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, status)
	metricstest.Lint(t, text, signerLabels...)
	account := `{network="devnet",chain_id="1337",account="` + s.net.Accounts()[0].Address.Hex() + `"`
	for _, known := range []string{"pmctl_signer_ready" + account + "} 0", "pmctl_signer_check" + account + `,check="store"} 0`, "pmctl_signer_requests_total" + account + ",", "pmctl_deposit_wei" + account + "} 1000000000000000000"} {
		require.Contains(t, text, known)
	}
	require.NotContains(t, text, "pmctl_tickets_total", "it is not 0")
}

// TestASignerWithAReadOnlyStoreIsNotReady: a server that became a standby answers, and no payment can be
// recorded.
func TestASignerWithAReadOnlyStoreIsNotReady(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	location := server.Database(t)
	s.env["PMCTL_STORE"] = location
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	r := s.serveSigner("--admin-listen 127.0.0.1:0")
	u, err := url.Parse(location)
	require.NoError(t, err)
	become := func(setting, says string) {
		t.Helper()
		// The settings are those of new connections. The others answer until they have ended.
		pgtest.Exec(t, location, "SET default_transaction_read_only = off", "ALTER DATABASE "+strings.Trim(u.Path, "/")+" SET default_transaction_read_only = "+setting,
			"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		require.Eventually(t, func() bool {
			_, body := r.watch(http.MethodGet, "/readyz")
			return strings.Contains(body, says)
		}, time.Minute, 50*time.Millisecond)
	}
	become("on", "is read-only")
	require.Contains(t, r.checks(http.StatusServiceUnavailable)["store"], "is read-only")
	code, _ := r.payOnce(token, s)
	require.Equal(t, http.StatusServiceUnavailable, code)
	become("off", `"ready":true`)
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
}

// TestASignersPageInABrowser looks at the page in a browser, in light and dark, on a phone and on
// a screen: nothing is wider than the screen, and the browser complains of nothing. With
// PMCTL_CAPTURES the pictures are kept in that folder.
func TestASignersPageInABrowser(t *testing.T) {
	notInShort(t)
	program, err := exec.LookPath("chromium")
	if err != nil {
		require.Empty(t, os.Getenv("PMCTL_REQUIRE_BROWSER"), "chromium is not here, and must be")
		t.Skip("chromium is not here")
	}
	r := watchedSigner(t)
	b := startBrowser(t, program)
	for _, screen := range []struct {
		name          string
		width, height int
	}{{"phone", 360, 800}, {"screen", 1280, 900}} {
		for _, scheme := range []string{"light", "dark"} {
			b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.name == "phone"})
			b.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
			b.open(r.admin + "/")
			require.LessOrEqual(t, b.evaluate("document.documentElement.scrollWidth"), float64(screen.width), "%s: nothing is wider than the screen", screen.name)
			require.Equal(t, float64(800), b.evaluate("document.images[0].naturalWidth"), "the plot is shown")
			background := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
			require.Equal(t, background, b.evaluate("getComputedStyle(document.body).backgroundColor"))
			if dir := os.Getenv("PMCTL_CAPTURES"); dir != "" {
				shot := b.do("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true})
				picture, err := base64.StdEncoding.DecodeString(shot["data"].(string))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("signer-%s-%s.png", screen.name, scheme)), picture, 0o644))
			}
		}
	}
	require.Empty(t, b.complaints)
}

// browser is a page of Chromium, spoken to with the DevTools protocol.
type browser struct {
	t          *testing.T
	connection *websocket.Conn
	next       int
	loaded     bool
	complaints []string
}

func startBrowser(t *testing.T, program string) *browser {
	t.Helper()
	process := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	said, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	var host string
	for lines := bufio.NewScanner(said); host == "" && lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), "listening on ws://"); found {
			host, _, _ = strings.Cut(after, "/")
		}
	}
	require.NotEmpty(t, host, "the browser ended")
	go func() { _, _ = bufio.NewReader(said).WriteTo(discard{}) }()
	var tabs []struct {
		Type, WebSocketDebuggerURL string
	}
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + host + "/json")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return json.NewDecoder(response.Body).Decode(&tabs) == nil && len(tabs) > 0
	}, time.Minute, 50*time.Millisecond)
	connection, _, err := websocket.DefaultDialer.Dial(tabs[0].WebSocketDebuggerURL, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	b := &browser{t: t, connection: connection}
	for _, domain := range []string{"Page", "Log", "Runtime"} {
		b.do(domain+".enable", nil)
	}
	return b
}

// message is what the browser says: an answer to the request with the ID, or an event.
type message struct {
	ID     int
	Method string
	Error  *struct{ Message string }
	Result map[string]any
	Params struct {
		Entry struct{ Text, URL string }
	}
}

func (b *browser) read() message {
	b.t.Helper()
	var m message
	require.NoError(b.t, b.connection.SetReadDeadline(time.Now().Add(time.Minute)))
	require.NoError(b.t, b.connection.ReadJSON(&m))
	switch m.Method {
	case "Page.loadEventFired":
		b.loaded = true
	case "Log.entryAdded":
		if entry := m.Params.Entry; !strings.HasSuffix(entry.URL, "/favicon.ico") {
			b.complaints = append(b.complaints, entry.Text+" "+entry.URL)
		}
	}
	return m
}

func (b *browser) do(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.next++
	require.NoError(b.t, b.connection.WriteJSON(map[string]any{"id": b.next, "method": method, "params": params}))
	for {
		if m := b.read(); m.ID == b.next {
			require.Nil(b.t, m.Error, method)
			return m.Result
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.loaded = false
	b.do("Page.navigate", map[string]any{"url": url})
	for !b.loaded {
		b.read()
	}
}

func (b *browser) evaluate(expression string) any {
	b.t.Helper()
	result := b.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})
	return result["result"].(map[string]any)["value"]
}
