package keystore

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestPassphraseIsTheTextWithoutItsNewline(t *testing.T) {
	long := strings.Repeat("x", MaxPassphrase)
	for _, c := range []struct {
		content, want string
		err           error
	}{
		{"secret", "secret", nil},
		{"secret\n", "secret", nil},
		{"secret\r\n", "secret", nil},
		{"secret\n\n", "secret\n", nil},
		{"secret\r\n\r\n", "secret\r\n", nil},
		{"secret\r", "secret\r", nil},
		{" secret \t\n", " secret \t", nil},
		{"pässphräse ☃\n", "pässphräse ☃", nil},
		{"\xff\x00\xfe", "\xff\x00\xfe", nil},
		{"\n", "", nil},
		{"\r\n", "", nil},
		{"", "", ErrEmptyPassphrase},
		{long, long, nil},
		{long + "\n", long, nil},
		{long + "\r\n", long, nil},
		{long + "y", "", ErrBadPassphrase},
		{long + "yy", "", ErrBadPassphrase},
		{long + "\r\n\n", "", ErrBadPassphrase},
		{strings.Repeat(long, 3), "", ErrBadPassphrase},
	} {
		path := filepath.Join(t.TempDir(), "passphrase")
		require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
		for name, source := range map[string]PassphraseSource{
			"file":      PassphraseFile(path),
			"reader":    PassphraseReader(strings.NewReader(c.content)),
			"in pieces": PassphraseReader(iotest.OneByteReader(strings.NewReader(c.content))),
		} {
			got, err := source(t.Context(), "")
			require.ErrorIs(t, err, c.err, "%s %.20q", name, c.content)
			require.Equal(t, c.want, string(got), "%s %.20q", name, c.content)
		}
	}
}

func TestPassphraseReaderFaults(t *testing.T) {
	broken := errors.New("broken")
	got, err := PassphraseReader(io.MultiReader(strings.NewReader("half of the pass"), iotest.ErrReader(broken)))(t.Context(), "")
	require.ErrorIs(t, err, broken)
	require.Nil(t, got)

	// A source that was cut short by the end of the command gave half a passphrase.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err = PassphraseReader(strings.NewReader("half of the pass"))(ctx, "")
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, got)
}

// TestHalfAPassphraseIsNone: the error of a connection that was closed too early, io.ErrUnexpectedEOF,
// is not the end of the passphrase. A new account would be encrypted under half of it.
func TestHalfAPassphraseIsNone(t *testing.T) {
	manager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half of the pass")
	}))
	defer manager.Close()
	answer, err := http.Get(manager.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	store := Open(t.TempDir())
	_, err = store.New(t.Context(), PassphraseReader(answer.Body), Light)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	list, err := store.List()
	require.NoError(t, err)
	require.Empty(t, list.Accounts)
}

func TestPassphraseFileIsAFile(t *testing.T) {
	_, err := PassphraseFile(t.TempDir())(t.Context(), "")
	require.ErrorIs(t, err, ErrPassphraseFile)
	require.ErrorContains(t, err, "folder")
	_, err = PassphraseFile(filepath.Join(t.TempDir(), "none"))(t.Context(), "")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = PassphraseFile(os.DevNull)(t.Context(), "")
	require.ErrorIs(t, err, ErrPassphraseFile)
}
