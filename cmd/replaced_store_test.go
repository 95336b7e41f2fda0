package cmd

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// copyStore copies the shell's store as it is now, and returns what puts the copy in the
// store's place.
func (s *shell) copyStore() (restore func()) {
	s.t.Helper()
	path := filepath.Join(s.env["XDG_STATE_HOME"], "pmctl", "store.db")
	copied, err := os.ReadFile(path)
	require.NoError(s.t, err)
	return func() {
		for _, beside := range []string{"-wal", "-shm"} {
			if err := os.Remove(path + beside); !os.IsNotExist(err) {
				require.NoError(s.t, err)
			}
		}
		require.NoError(s.t, os.WriteFile(path+".copy", copied, 0o600))
		require.NoError(s.t, os.Rename(path+".copy", path))
	}
}

// onWrite does something before the first write.
type onWrite struct {
	io.Writer
	once func()
}

func (w onWrite) Write(p []byte) (int, error) {
	w.once()
	return w.Writer.Write(p)
}

// TestWhatIsReportedAsDoneIsDone ends with the exit code of what it reports, also when
// the journal cannot keep that it was reported.
func TestWhatIsReportedAsDoneIsDone(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1gwei --yes")
	restore := s.copyStore()
	var out, errs bytes.Buffer
	got := Main(t.Context(), strings.Fields("fund --deposit 2gwei --yes"), &Env{
		In: strings.NewReader(""), Out: onWrite{&out, sync.OnceFunc(restore)}, Err: &errs, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	require.Equal(t, exitDone, got, errs.String())
	require.Regexp(t, `(?m)^transaction +0x[0-9a-f]{64}$`, out.String())
	require.Contains(t, errs.String(), "was replaced while this command ran: its file is a different one than before; its journal lacks this transaction")

	// The copy does not know of it, and says so.
	require.Contains(t, s.said(exitLimit, "fund --deposit 2gwei --yes"), "the store may lack the record")
}

// TestAnOlderCopysCancellationIsNotTheLastWord does not say of a command that nothing of
// it was done where the store may lack that it was sent again.
func TestAnOlderCopysCancellationIsNotTheLastWord(t *testing.T) {
	t.Parallel()
	const line = "fund --deposit 1gwei --yes"
	s := newShell(t, devnet.Config{})
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	hash := s.run(exitDone, line+" --no-wait")["transaction_hash"].(string)
	restore := s.copyStore()
	s.run(exitDone, "tx cancel "+hash+" --yes --no-wait")
	require.NoError(t, s.net.SetAutomine(t.Context(), true))
	s.said(exitFailed, line)
	s.run(exitDone, line)
	restore()
	said := s.said(exitLimit, line)
	require.Contains(t, said, "it was cancelled")
	require.Contains(t, said, "the store may lack the record")
	require.Equal(t, eth(t, "1gwei"), s.deposited())

	s.run(exitDone, "store acknowledge --yes")
	s.run(exitDone, line)
	require.Equal(t, eth(t, "2gwei"), s.deposited())
}
