//go:build linux

package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// stopAndContinue stops the command, sets the terminal as a shell does for its own line, and
// continues the command.
func (p *terminal) stopAndContinue() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(unix.SIGSTOP))
	var status unix.WaitStatus
	_, err := unix.Wait4(p.cmd.Process.Pid, &status, unix.WUNTRACED, nil)
	require.NoError(p.t, err)
	require.True(p.t, status.Stopped())
	conn, err := p.keyboard.SyscallConn()
	require.NoError(p.t, err)
	require.NoError(p.t, conn.Control(func(fd uintptr) { err = unix.IoctlSetTermios(int(fd), unix.TCSETS, p.before) }))
	require.NoError(p.t, err)
	p.seen.Reset()
	require.NoError(p.t, p.cmd.Process.Signal(unix.SIGCONT))
}

// TestAContinuedQuestionIsAskedAgain: a shell that continues a command has set the terminal to show
// what is typed. A passphrase is not shown, and nothing that was typed before counts.
func TestAContinuedQuestionIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	shown := ""
	p := s.sit(nil, "fund")
	for _, step := range []struct{ asks, half, answer string }{
		{"Add to the deposit", "90", "1eth"},
		{"Add to the reserve", "90", "2eth"},
		{"[y/N] ", "xx", "y"},
		{"assphrase of 0x", "", passphraseTyped},
	} {
		p.expect(step.asks)
		p.press(step.half)
		p.expect(step.half)
		p.stopAndContinue()
		p.expect(step.asks)
		require.Zero(t, p.settings().Lflag&unix.ECHO, step.asks)
		p.press(step.answer + "\r")
		shown += p.seen.String()
	}
	code, rest := p.end()
	require.Zero(t, code, rest)
	require.NotContains(t, shown+rest, passphraseTyped)
	require.Contains(t, rest, "grew by 1 ETH")
	require.Contains(t, rest, "grew by 2 ETH")
}

// TestAContinuedChoiceIsAskedAgain is the same of a choice.
func TestAContinuedChoiceIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	s.run("account", "new", "--lightkdf")
	p := s.sit(nil, "status")
	p.expect("Which account")
	p.stopAndContinue()
	p.expect("Which account")
	p.press("\r")
	code, shown := p.end()
	require.Zero(t, code, shown)
}
