package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoakTornStoreIsExplained tears each page of the store, and makes a batch. Either its
// tickets go on behind all that were made, or an error says that the file is damaged
// and what to do.
func TestSoakTornStoreIsExplained(t *testing.T) {
	t.Parallel()
	const page = 4096
	every := soakRuns(t, 4, 2, 1)
	m := newMinting(t, "", 1)
	batch := "ticket batch --params " + m.sessions[0] + " -o ndjson --count "
	end := m.launch(t.Context(), batch+"5 --request-id one")
	require.Equal(t, exitDone, end.code, end.errs)
	used := uint32(5)
	path := filepath.Join(m.env["XDG_STATE_HOME"], "pmctl", "store.db")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	noticed, wentOn := 0, 0
	for at := 0; at < len(whole); at += every * page {
		for name, tear := range map[string]func([]byte){
			"zeros":       func(page []byte) { clear(page) },
			"half":        func(page []byte) { clear(page[len(page)/2:]) },
			"last sector": func(page []byte) { clear(page[len(page)-512:]) },
		} {
			torn := bytes.Clone(whole[at : at+page])
			tear(torn)
			writePage(t, path, torn, at)
			end := m.launch(t.Context(), batch+"1")
			what := fmt.Sprintf("page %d, %s: exit code %d: %s", at/page, name, end.code, end.errs)
			if end.code == exitDone {
				wentOn++
				require.Greater(t, m.header(end.out).FirstNonce, used, what)
				used = m.header(end.out).FirstNonce
				// What was torn is whole again, with all that was made meanwhile.
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				if !bytes.Equal(torn, after[at:at+page]) {
					copy(whole[at:], after[at:at+page])
				}
				copy(after[at:], whole[at:at+page])
				whole = after
			} else {
				noticed++
				require.Equal(t, exitFailed, end.code, what)
				require.Contains(t, end.errs, path, what)
				require.Contains(t, end.errs, "the store is damaged", what)
				require.Contains(t, end.errs, "run pmctl store check to see all of the damage; to continue without this store, move it", what)
				require.Empty(t, end.out, what)
			}
			writePage(t, path, whole[at:at+page], at)
		}
	}
	t.Logf("%d pages: %d tears noticed, %d without effect", len(whole)/page, noticed, wentOn)
	require.Greater(t, noticed, len(whole)/page/every/2)
	require.Positive(t, wentOn, "a store is not refused for what does not matter")
	end = m.launch(t.Context(), batch+"1")
	require.Equal(t, exitDone, end.code, "whole again: %s", end.errs)
	require.Greater(t, m.header(end.out).FirstNonce, used)
}

// writePage writes a page of a store that no process has open, and takes away what one
// that failed has left beside it.
func writePage(t *testing.T, path string, page []byte, at int) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = file.WriteAt(page, int64(at))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	for _, name := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + name); err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
		}
	}
}
