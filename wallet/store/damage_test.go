package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const pageSize = 4096

// tears are the ways in which a disk may tear a page.
var tears = map[string]func(page []byte){
	"zeros":             func(page []byte) { clear(page) },
	"second half zeros": func(page []byte) { clear(page[pageSize/2:]) },
	"first half zeros":  func(page []byte) { clear(page[:pageSize/2]) },
	"last sector zeros": func(page []byte) { clear(page[pageSize-512:]) },
	"garbage": func(page []byte) {
		garbage := rand.New(rand.NewPCG(1, 2))
		for i := range page {
			page[i] = byte(garbage.Uint32())
		}
	},
	"digits": func(page []byte) { // valid, with another value
		for i := 64; i < len(page); i++ {
			if '1' <= page[i] && page[i] <= '9' {
				page[i] = '0'
			}
		}
	},
}

// Each page of a store is torn in each way. Either that is detected, or every session still
// continues after its last used nonce.
func TestSoakTornPages(t *testing.T) {
	every := pageSize
	if testing.Short() {
		every *= 23 // it takes long under the race detector, which has nothing to find here
	}
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	const sessions = 150
	for i := range sessions {
		for range 2 {
			request := &Request{ID: fmt.Sprint(i), Digest: "digest", Record: []byte("record")}
			_, err := s.Chain(testChain).Reserve(t.Context(), Spend{Sender: common.Address{1}, Params: params(byte(i)), Count: 3, Request: request})
			require.NoError(t, err)
		}
		reserve(t, s, params(byte(i)), 2)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Greater(t, len(whole)/pageSize, 30)

	noticed := 0
	for name, tear := range tears {
		for at := 0; at < len(whole); at += every {
			torn := append([]byte(nil), whole[at:at+pageSize]...)
			tear(torn)
			writeAt(t, path, torn, at)
			if err := reserveAll(t, path, sessions, 5); err != nil {
				noticed++
				require.True(t, errors.Is(err, ErrDamaged), "page %d, %s: %v", at/pageSize, name, err)
				require.ErrorContains(t, err, path)
			}
			writeAt(t, path, whole[at:at+pageSize], at)
		}
	}
	require.Greater(t, noticed, len(whole)/every)
	require.NoError(t, reserveAll(t, path, sessions, 5), "undamaged again")
}

func writeAt(t *testing.T, path string, data []byte, at int) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = file.WriteAt(data, int64(at))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	// Files that a dead process left belong to the undamaged store.
	for _, name := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + name); !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
	}
}

// reserveAll tries to reserve in every session, and rolls back. It returns the error of one, if
// any, and fails the test for a nonce that was used.
func reserveAll(t *testing.T, path string, sessions int, used uint32) (met error) {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	require.Nil(t, s.Retirement())
	undo := errors.New("undo")
	err = s.db.Write(context.Background(), func(tx *db.Tx) error {
		for i := range sessions {
			made, err := s.Chain(testChain).reserve(tx, newBooks(s.Chain(testChain).id, tx), Spend{Sender: common.Address{1}, Params: params(byte(i)), Count: 1})
			if err != nil {
				met = s.db.Explain(context.Background(), err)
				continue
			}
			require.Greater(t, made.Nonces.First, used, "session %d goes back", i)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		return err
	}
	return met
}

func TestTruncatedAndEmptied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	for i := range 60 {
		reserve(t, s, params(byte(i)), 5)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for size := len(whole) - pageSize/2; size >= 0; size -= pageSize / 2 {
		require.NoError(t, os.Truncate(path, int64(size)))
		err := reserveAll(t, path, 60, 5)
		require.ErrorIs(t, err, ErrDamaged, size)
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	for _, content := range [][]byte{{}, make([]byte, len(whole)), make([]byte, 100)} {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		require.ErrorIs(t, reserveAll(t, path, 60, 5), ErrDamaged)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, after, "it was changed")
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	require.NoError(t, reserveAll(t, path, 60, 5))
}
