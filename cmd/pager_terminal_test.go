//go:build linux

package cmd

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// homeOfAccounts is a home folder with n accounts, by the names of their key files.
func homeOfAccounts(t *testing.T, n int) string {
	t.Helper()
	home := t.TempDir()
	folder := filepath.Join(home, ".local/share/pmctl/keystore")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	for i := range n {
		address := fmt.Sprintf("%040x", i+1)
		file := fmt.Sprintf(`{"address":"%s","version":3,"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","crypto":{"cipher":"aes-128-ctr","ciphertext":"%064x",`+
			`"cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":4096,"p":6,"r":8,"salt":"%064x"},"mac":"%064x"}}`, address, i, i, i)
		name := fmt.Sprintf("UTC--2026-01-01T00-00-%02d.000000000Z--%s", i, address)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(file), 0o600))
	}
	return home
}

// TestPager: a list that is longer than the screen goes through the user's pager, which may
// end early or be interrupted; nothing else does, and nothing in a pipe.
func TestPager(t *testing.T) {
	home := homeOfAccounts(t, 40)
	few := homeOfAccounts(t, 4)
	pager := "PAGER=sed 's/^/paged /'"
	for _, c := range []struct {
		name, home string
		env        []string
		args       string
		paged      bool
		lines      int
	}{
		{"long", home, []string{pager}, "account list", true, 41},
		{"own variable first", home, []string{"PAGER=false", "PMCTL_" + pager}, "account list", true, 41},
		{"quiet", home, []string{pager}, "-q account list", true, 41},
		{"short", few, []string{pager}, "account list", false, 5},
		{"none", home, []string{"PAGER="}, "account list", false, 41},
		{"cat", home, []string{"PAGER=cat"}, "account list", false, 41},
		{"dumb", home, []string{pager, "TERM=dumb"}, "account list", false, 41},
		{"json", home, []string{pager}, "account list -o json", false, 0},
		{"missing", home, []string{"PAGER=no-such-program"}, "account list", false, 0},
		{"quits early", home, []string{"PAGER=sed 's/^/paged /;3q'"}, "account list", true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := atTerminalWith(t, c.home, append([]string{"TERM=xterm", "PMCTL_PAGER="}, c.env...), strings.Fields(c.args)...)
			code, shown := p.end()
			require.Zero(t, code, shown)
			require.Equal(t, c.paged, strings.HasPrefix(shown, "paged "), shown)
			if c.lines > 0 {
				require.Equal(t, c.lines, strings.Count(shown, "\n"), shown)
			} else {
				require.Contains(t, shown, "0000000028", "all of it is there")
			}
		})
	}

	cmd := exec.CommandContext(t.Context(), "pmctl", "account", "list")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", pager)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NotContains(t, string(out), "paged", "never in a pipe")
}

// TestPagerOfClients: a list from the store is paged like one of files.
func TestPagerOfClients(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store.db")
	for i := range 40 {
		out, err := exec.CommandContext(t.Context(), "pmctl", "signer", "client", "add", fmt.Sprintf("client%d", i), "--store", store).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	p := atTerminalWith(t, t.TempDir(), []string{"TERM=xterm", "PMCTL_PAGER=", "PAGER=sed 's/^/paged /'"}, "signer", "client", "list", "--store", store)
	code, shown := p.end()
	require.Zero(t, code, shown)
	require.Equal(t, 41, strings.Count(shown, "paged "), shown)
}

// interruptible is the name under which the test binary is a pager that says when it is interrupted, and
// ends with a key. A shell's trap may come a moment too late for the shell to run it.
const interruptible = "interruptible"

func pageUntilKey() error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, unix.SIGINT)
	fmt.Println("begun")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	<-interrupts
	fmt.Println("interrupted")
	tty, err := os.Open("/dev/tty")
	if err == nil {
		_, err = tty.Read(make([]byte, 1))
	}
	fmt.Println("left")
	return err
}

// TestPagerOutlivesInterrupts: Ctrl-C is for the pager to understand; pmctl waits for it.
func TestPagerOutlivesInterrupts(t *testing.T) {
	pager := filepath.Join(t.TempDir(), interruptible)
	require.NoError(t, os.Symlink(os.Args[0], pager))
	p := atTerminalWith(t, homeOfAccounts(t, 40), []string{"TERM=xterm", "PMCTL_PAGER=", "PAGER=" + pager}, "account", "list")
	p.expect("begun")
	p.press("\x03")
	p.expect("interrupted")
	p.press("\x03")
	require.NoError(t, p.cmd.Process.Signal(unix.SIGINT))
	p.press("\r")
	p.expect("left")
	code, shown := p.end()
	require.Zero(t, code, shown)
}
