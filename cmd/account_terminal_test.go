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

	"github.com/pmctl/pmctl/internal/page"
)

// terminal is pmctl at a pseudo-terminal, typed at by a test.
type terminal struct {
	t        *testing.T
	keyboard *os.File
	cmd      *exec.Cmd
	seen     strings.Builder
	// before is how the terminal was when the command began.
	before *unix.Termios
}

// atTerminal starts pmctl with a terminal for its standard streams and ends it
// with the test.
func atTerminal(t *testing.T, home string, args ...string) *terminal {
	t.Helper()
	return atTerminalWith(t, home, nil, args...)
}

// atTerminalWith is atTerminal with more variables.
func atTerminalWith(t *testing.T, home string, env []string, args ...string) *terminal {
	t.Helper()
	return atTerminalOf(t, page.DefaultWidth, home, env, args...)
}

// atTerminalOf is atTerminalWith for a terminal so many columns wide.
func atTerminalOf(t *testing.T, columns uint16, home string, env []string, args ...string) *terminal {
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
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = home
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}))
	p := &terminal{t: t, keyboard: keyboard, cmd: cmd}
	p.before = p.settings()
	require.NoError(t, cmd.Start())
	return p
}

// settings are how the terminal treats what is typed and shown.
func (p *terminal) settings() (settings *unix.Termios) {
	p.t.Helper()
	conn, err := p.keyboard.SyscallConn()
	require.NoError(p.t, err)
	require.NoError(p.t, conn.Control(func(fd uintptr) { settings, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) }))
	require.NoError(p.t, err)
	return settings
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

// end reads the rest of the screen and returns the exit code and all that was shown. The
// terminal must be as it was before the command.
func (p *terminal) end() (int, string) {
	p.t.Helper()
	buffer := make([]byte, 256)
	require.NoError(p.t, p.keyboard.SetReadDeadline(time.Now().Add(30*time.Second)))
	for {
		// When the last one who had it open is gone, a terminal reads as EIO.
		n, err := p.keyboard.Read(buffer)
		p.seen.Write(buffer[:n])
		if err != nil {
			require.ErrorIs(p.t, err, unix.EIO, "%v has not ended:\n%s", p.cmd.Args, &p.seen)
			break
		}
	}
	_ = p.cmd.Wait()
	require.Equal(p.t, p.before, p.settings(), "the terminal is as it was")
	hidden, shown := strings.LastIndex(p.seen.String(), "\x1b[?25l"), strings.LastIndex(p.seen.String(), "\x1b[?25h")
	require.LessOrEqual(p.t, hidden, shown, "the cursor is to be seen")
	return p.cmd.ProcessState.ExitCode(), p.seen.String()
}

func TestPassphrasesAreNotShown(t *testing.T) {
	home := t.TempDir()
	p := atTerminal(t, home, "account", "new", "--lightkdf")
	p.expect("New passphrase of 0x")
	p.expect(": ")
	p.press("corr3ct h0rsee\x7f\r")
	p.expect("Repeat passphrase: ")
	p.press("wrong\x15corr3ct h0rse\r")
	code, shown := p.end()
	require.Zero(t, code, shown)
	require.Contains(t, shown, "key file")
	require.Contains(t, shown, "to run this without prompts:\r\n  pmctl account new --lightkdf --passphrase-file FILE\r\n")
	require.NotContains(t, shown, "h0rs")
}

// TestASignalToQuitRestoresTheTerminal, and prints the stacks as for any Go program.
func TestASignalToQuitRestoresTheTerminal(t *testing.T) {
	home := t.TempDir()
	p := atTerminal(t, home, "account", "new", "--lightkdf")
	p.expect(": ")
	p.press("half")
	require.NoError(t, p.cmd.Process.Signal(unix.SIGQUIT))
	code, shown := p.end()
	require.Equal(t, 2, code, shown)
	require.Contains(t, shown, "SIGQUIT: quit")
	require.NotContains(t, shown, "half")
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
