//go:build linux

package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal is pmctl at a pseudo-terminal, typed at by a test.
type terminal struct {
	t        *testing.T
	keyboard *os.File
	cmd      *exec.Cmd
	seen     strings.Builder
}

// atTerminal starts pmctl with a terminal for its standard streams and ends it
// with the test.
func atTerminal(t *testing.T, home string, args ...string) *terminal {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { keyboard.Close() })
	var number int
	conn, err := keyboard.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Control(func(fd uintptr) {
		require.NoError(t, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
		number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	}))
	require.NoError(t, err)
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer screen.Close()
	path, err := exec.LookPath("pmctl")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", "ETH_FROM=", "ETH_PASSWORD=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	return &terminal{t: t, keyboard: keyboard, cmd: cmd}
}

// expect reads the screen until it shows text.
func (p *terminal) expect(text string) {
	p.t.Helper()
	require.NoError(p.t, p.keyboard.SetReadDeadline(time.Now().Add(30*time.Second)))
	buffer := make([]byte, 256)
	for !strings.Contains(p.seen.String(), text) {
		n, err := p.keyboard.Read(buffer)
		p.seen.Write(buffer[:n])
		require.NoError(p.t, err, "waiting for %q on\n%s", text, &p.seen)
	}
}

func (p *terminal) press(keys string) {
	p.t.Helper()
	_, err := p.keyboard.WriteString(keys)
	require.NoError(p.t, err)
}

// end reads the rest of the screen and returns the exit code and all that was shown.
func (p *terminal) end() (int, string) {
	p.t.Helper()
	buffer := make([]byte, 256)
	for {
		// When the last one who had it open is gone, a terminal reads as EIO.
		n, err := p.keyboard.Read(buffer)
		p.seen.Write(buffer[:n])
		if err != nil {
			require.ErrorIs(p.t, err, unix.EIO)
			break
		}
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), p.seen.String()
}

func TestPassphrasesAreNotShown(t *testing.T) {
	home := t.TempDir()
	p := atTerminal(t, home, "account", "new", "--lightkdf")
	p.expect("New passphrase of 0x")
	p.expect(": ")
	p.press("corr3ct h0rsee\x7f\r")
	p.expect("The same again: ")
	p.press("wrong\x15corr3ct h0rse\r")
	code, shown := p.end()
	require.Zero(t, code, shown)
	require.Contains(t, shown, "key file")
	require.NotContains(t, shown, "h0rs")
}

func TestPromptEndsWithTheCommand(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"Ctrl-C":  func(p *terminal) { p.press("half\x03") },
		"Ctrl-D":  func(p *terminal) { p.press("\x04") },
		"SIGTERM": func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGTERM)) },
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			p := atTerminal(t, home, "account", "new", "--lightkdf")
			p.expect(": ")
			stop(p)
			code, shown := p.end()
			require.Equal(t, exitCancelled, code, shown)
			require.NotContains(t, shown, "half")
			require.NoDirExists(t, filepath.Join(home, ".local"))
		})
	}
}
