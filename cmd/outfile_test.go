package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/durable/forgetful"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestTicketsSurviveAPowerFailure: their nonces are used up, so what was said to be in the
// file of --out is there after the power failed at that moment.
func TestTicketsSurviveAPowerFailure(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	params := filepath.Join(t.TempDir(), "params.json")
	require.NoError(t, os.WriteFile(params, []byte(s.print("params fetch -o json "+s.net.Recipients()[0].State().URL)), 0o600))
	root := t.TempDir()
	files := forgetful.Below(root)
	path := filepath.Join(root, "tickets.json")
	code, errs := s.minted(params, path, files)
	require.Equal(t, exitDone, code, errs)
	require.NoError(t, files.LosePower())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, json.Valid(text))
	require.Contains(t, string(text), `"pmctl.batch"`)

	// A file whose name might not last is there: it must not be taken for a failure, and
	// made again.
	path = filepath.Join(root, "more.json")
	code, errs = s.minted(params, path, unsyncable{})
	require.Equal(t, exitNotMined, code, errs)
	require.Contains(t, errs, path+" is written, but might not survive a power failure: input/output error")
	require.Contains(t, errs, "do not make it again")
	require.FileExists(t, path)
}

// minted writes tickets to a file of a file system.
func (s *shell) minted(params, path string, files durable.FS) (code int, errs string) {
	var stderr bytes.Buffer
	code = Main(s.t.Context(), []string{"ticket", "batch", "--params", params, "--count", "3", "--out", path}, &Env{
		In: strings.NewReader(""), Out: new(bytes.Buffer), Err: &stderr, Now: time.Now, Files: files,
		Getenv: func(name string) string { return s.env[name] },
	})
	return code, stderr.String()
}

// unsyncable is a file system whose folders cannot be synced.
type unsyncable struct{ durable.OS }

func (unsyncable) SyncDir(string) error { return errors.New("input/output error") }
