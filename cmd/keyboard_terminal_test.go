//go:build linux

package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPastedLinesEndOnce pastes lines that end with CR LF, as Windows and some password
// managers write them: the LF does not answer the next question.
func TestPastedLinesEndOnce(t *testing.T) {
	t.Parallel()
	notInShort(t)
	p := atTerminal(t, t.TempDir(), "account", "new", "--lightkdf")
	p.expect("New passphrase of 0x")
	p.press("a passphrase\r\na passphrase\r\n")
	code, shown := p.end()
	require.Zero(t, code, shown)
	require.Contains(t, shown, "key file")
}

// TestControlKeysAreNoPassphrase: a passphrase with an arrow key in it could be typed
// nowhere else.
func TestControlKeysAreNoPassphrase(t *testing.T) {
	t.Parallel()
	notInShort(t)
	p := atTerminal(t, t.TempDir(), "account", "new", "--lightkdf")
	p.expect("New passphrase of 0x")
	p.press("abc\x1b[D\r")
	p.expect("Esc (or an arrow key) is not text")
	p.press("abc\x01\r")
	p.expect("Ctrl-A is not text")
	p.press("a\tb\r")
	p.expect("Tab is not text")
	p.press("abc\x01\x15passphrase\r") // Ctrl-U begins the line again
	p.press("passphrase\r")
	code, shown := p.end()
	require.Zero(t, code, shown)
	require.Contains(t, shown, "key file")
}

// TestTextIsEditedAsInAShell moves and deletes in an answer.
func TestTextIsEditedAsInAShell(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for name, keys := range map[string]string{
		"Home, End":          "1wei\x1b[H2\x1b[F",
		"Ctrl-A, Ctrl-E":     "1wei\x012\x05",
		"Ctrl-U":             "nonsense\x1521wei",
		"Ctrl-W":             "21wei nonsense\x17",
		"arrows, backspace":  "3wei\x1b[D\x1b[D\x1b[D\x7f21",
		"wrong, then better": "21\r21wei",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			p := atTerminal(t, home, "fund", "--dry-run", "--from", "0x00000000000000000000000000000000000000aa", "--rpc-url", "http://127.0.0.1:1", "--network", "devnet")
			p.expect("Add to the deposit")
			p.press(keys + "\r")
			p.expect("Add to the reserve")
			p.press("\x03")
			code, shown := p.end()
			require.Equal(t, exitCancelled, code, shown)
			if name == "wrong, then better" {
				require.Contains(t, shown, "unit")
			}
		})
	}
}
