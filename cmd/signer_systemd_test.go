//go:build linux

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// serviceManager is what systemd is to a signer: a socket that hears its state, and the sockets
// that it listens on.
type serviceManager struct {
	t       *testing.T
	heard   *net.UnixConn
	process *exec.Cmd
	log     bytes.Buffer
	remoteSigner
}

// start runs pmctl signer serve as a service with two sockets, or with these.
func (s *shell) start(flags string, sockets ...*os.File) *serviceManager {
	s.t.Helper()
	dir := s.t.TempDir()
	m := &serviceManager{t: s.t}
	m.remoteSigner.t = s.t
	var err error
	m.heard, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = m.heard.Close() })
	// The shell gives the process the ID that the variable has.
	m.process = exec.Command("sh", "-c", "LISTEN_PID=$$ WATCHDOG_PID=$$ exec pmctl signer serve --log json "+flags)
	m.process.Env = append(os.Environ(), "HOME="+filepath.Dir(s.env["XDG_STATE_HOME"]), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"),
		"WATCHDOG_USEC=200000", "LISTEN_FDS=2", "LISTEN_FDNAMES=pmctl-signer.socket:admin")
	for name, value := range s.env {
		m.process.Env = append(m.process.Env, name+"="+value)
	}
	m.process.Stderr = &m.log
	m.process.ExtraFiles = sockets
	for _, url := range []*string{&m.url, &m.admin}[len(sockets):] {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(s.t, err)
		file, err := listener.(*net.TCPListener).File()
		require.NoError(s.t, err)
		m.process.ExtraFiles = append(m.process.ExtraFiles, file)
		*url = "http://" + listener.Addr().String()
		require.NoError(s.t, listener.Close())
	}
	require.NoError(s.t, m.process.Start())
	for _, file := range m.process.ExtraFiles {
		require.NoError(s.t, file.Close())
	}
	s.t.Cleanup(func() { _ = m.process.Process.Kill() })
	return m
}

// hear waits for a state that the service reports.
func (m *serviceManager) hear(want string) {
	m.t.Helper()
	said := make([]byte, 4096)
	require.NoError(m.t, m.heard.SetReadDeadline(time.Now().Add(time.Minute)))
	for {
		n, err := m.heard.Read(said)
		require.NoError(m.t, err, "waiting for %s: %s", want, &m.log)
		if strings.Contains(string(said[:n]), want) {
			return
		}
	}
}

// TestAHangupWhileASignerStarts: it has the files read once more, and does not end the signer.
func TestAHangupWhileASignerStarts(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	node, asked, release := reverseProxy(t, s.net.RPCURL()), make(chan struct{}, 1), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		node.ServeHTTP(rw, r)
	}))
	defer slow.Close()
	m := s.start("--rpc-url " + slow.URL)
	<-asked
	require.NoError(t, m.process.Process.Signal(syscall.SIGHUP))
	close(release)
	m.hear("STATUS=reloaded")
}

// TestASignerEndsWithItsTerminal: a hangup of the terminal with its log is no reload.
func TestASignerEndsWithItsTerminal(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	p := s.sit([]string{"ETH_PASSWORD=" + s.file("pass")}, "signer", "serve", "--no-auth", "--listen", "127.0.0.1:0")
	p.expect("msg=ready")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	p.expect("msg=reloaded")
	require.NoError(t, p.keyboard.Close())
	defer time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() }).Stop()
	require.NoError(t, p.cmd.Wait())
}

// TestASignerIsAService: systemd hears when the signer is ready, that it works, reloads and stops.
// It listens on systemd's sockets. A request under way is answered before it ends, with exit
// code 0, and no new one is accepted.
func TestASignerIsAService(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	asked, release := make(chan struct{}), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		_ = json.NewEncoder(rw).Encode(map[string]int{"status": 200})
	}))
	defer hook.Close()
	file := filepath.Join(t.TempDir(), "hook")
	require.NoError(t, os.WriteFile(file, []byte(hook.URL+"\n"), 0o600))

	m := s.start("--webhook-file " + file)
	m.hear("READY=1")
	m.hear("WATCHDOG=1")
	m.checks(http.StatusOK)
	require.NoError(t, m.process.Process.Signal(syscall.SIGHUP))
	m.hear("RELOADING=1\nMONOTONIC_USEC=")
	m.hear("READY=1\nSTATUS=reloaded")

	info := m.offerFor(token, s.net.Recipients()[0].State().URL)
	body, err := json.Marshal(map[string]any{"orchestrator": info, "type": "live", "ManifestID": "m"})
	require.NoError(t, err)
	answered := make(chan int, 1)
	go func() {
		request, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, m.url+"/generate-live-payment", bytes.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- 0
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		answered <- response.StatusCode
	}()
	<-asked
	require.NoError(t, m.process.Process.Signal(syscall.SIGTERM))
	m.hear("STOPPING=1")
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", strings.TrimPrefix(m.url, "http://"))
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	}, time.Minute, 10*time.Millisecond, "no new request is accepted")
	require.Contains(t, m.checks(http.StatusServiceUnavailable)["accepting"], "being stopped")
	close(release)
	require.Equal(t, http.StatusOK, <-answered)
	require.NoError(t, m.process.Wait(), m.log.String())
	require.Contains(t, m.log.String(), `"msg":"stopped"`)
}

// TestASignerRefusesSocketsItCannotUse: a socket in the place of a flag, and one that is none.
func TestASignerRefusesSocketsItCannotUse(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	m := s.start("--listen 127.0.0.1:0")
	require.Error(t, m.process.Wait())
	require.Equal(t, 2, m.process.ProcessState.ExitCode())
	require.Contains(t, m.log.String(), "--listen and a socket of the service manager exclude each other")

	s.env["LISTEN_FDNAMES"] = "ipv4:ipv6"
	m = s.start("")
	delete(s.env, "LISTEN_FDNAMES")
	require.Error(t, m.process.Wait())
	require.Equal(t, 2, m.process.ProcessState.ExitCode())
	require.Contains(t, m.log.String(), "more than one socket for --listen")
	require.Contains(t, m.log.String(), "pass one ListenStream for clients")

	// A socket that does not listen is refused before the signer says that it is ready.
	bound, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, syscall.Bind(bound, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	m = s.start("", os.NewFile(uintptr(bound), "bound"))
	require.Error(t, m.process.Wait())
	require.Contains(t, m.log.String(), "descriptor 3 (pmctl-signer.socket), which is no socket to listen on: it does not listen")
	require.NotContains(t, m.log.String(), "ready")
}

// TestASignerHasItsKeyFromCredentials: the folder that systemd makes for LoadCredential, whose
// files a group may read, is a keystore and has the passphrase and the admin token.
func TestASignerHasItsKeyFromCredentials(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	credentials := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.Mkdir(credentials, 0o700))
	keys, err := filepath.Glob(filepath.Join(s.env["XDG_DATA_HOME"], "pmctl", "keystore", "*"))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	key, err := os.ReadFile(keys[0])
	require.NoError(t, err)
	for name, text := range map[string]string{"key": string(key), "passphrase": "correct horse", "token": "a-token-of-an-operator"} {
		require.NoError(t, os.WriteFile(filepath.Join(credentials, name), []byte(text), 0o440))
	}
	require.NoError(t, os.Chmod(credentials, 0o500))
	delete(s.env, "ETH_PASSWORD")
	s.env["CREDENTIALS_DIRECTORY"], s.env["ETH_KEYSTORE"] = credentials, filepath.Join(credentials, "key")
	m := s.start("--passphrase-file " + filepath.Join(credentials, "passphrase") + " --admin-token-file " + filepath.Join(credentials, "token"))
	m.hear("READY=1")
	status, body := m.watch(http.MethodGet, "/readyz", "Authorization", "Bearer a-token-of-an-operator")
	require.Equal(t, http.StatusOK, status, body)
}
