package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const testChain = 1337

func TestNewStoreIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "deeper", "it's 100%? #1", "store.db")
	s := open(t, path)
	require.NotEmpty(t, s.ID())
	require.Equal(t, path, s.Path())
	reserve(t, s, params(1), 1)

	if runtime.GOOS != "windows" {
		for _, file := range []string{path, path + "-wal", path + "-shm", newestMark(t, path)} {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
		}
		info, err := os.Stat(filepath.Dir(path))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, entry := range entries {
		require.Contains(t, []string{"store.db", "store.db-wal", "store.db-shm", filepath.Base(newestMark(t, path))}, entry.Name())
	}
}

func TestReopenedStoreIsTheSame(t *testing.T) { onEach(t, reopenedStoreIsTheSame) }

func reopenedStoreIsTheSame(t *testing.T, place place) {
	path := place(t)
	first := open(t, path)
	require.Equal(t, pm.NonceRange{First: 1, Count: 10}, reserve(t, first, params(1), 10))
	require.NoError(t, first.Close())

	second := open(t, path)
	require.Equal(t, first.ID(), second.ID())
	require.Equal(t, pm.NonceRange{First: 11, Count: 10}, reserve(t, second, params(1), 10))

	other := open(t, place(t))
	require.NotEqual(t, first.ID(), other.ID())
}

// Closing a descriptor of a file drops the process's locks on it, so opening a store again must
// not touch one that is in use.
func TestOpeningAgainKeepsTheLock(t *testing.T) { onEach(t, openingAgainKeepsTheLock) }

func openingAgainKeepsTheLock(t *testing.T, place place) {
	path := place(t)
	first := open(t, path)
	err := first.write(t.Context(), func(tx *db.Tx) error {
		open(t, path)
		return childFails(t, path)
	})
	require.NoError(t, err)
}

func TestSynchronousAndWAL(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "foreign_keys": "1"} {
		var got string
		require.NoError(t, s.db.Pool.QueryRow(`PRAGMA `+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
}

func TestRefusesFilesThatAreNoStore(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	text := write("text", []byte(strings.Repeat("dear diary, ", 1000)))
	short := write("short", []byte("x"))

	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TABLE sessions (id INTEGER)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	for _, path := range []string{text, short, foreign} {
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, refused := Open(t.Context(), path)
		require.ErrorIs(t, refused, ErrNotStore)
		require.ErrorContains(t, refused, path)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, before, after, "%s was changed", path)
		if path == foreign { // to move it away could damage the other program
			said, _ := hint.Of(refused)
			require.Equal(t, "name another place with --store, or restore this one from a backup if it was pmctl's; it is left as it is", said)
		}
	}
}

func TestRefusesANewerSchema(t *testing.T) { onEach(t, refusesANewerSchema) }

func refusesANewerSchema(t *testing.T, place place) {
	path := place(t)
	s := open(t, path)
	change(t, s, `UPDATE meta SET value = '99' WHERE name = 'schema_version'`)
	require.NoError(t, s.Close())

	_, err := Open(t.Context(), path)
	require.ErrorIs(t, err, ErrSchema)
	require.ErrorContains(t, err, fmt.Sprintf("%s has schema version 99 of a newer pmctl, this process reads at most %d", s.Path(), schemaVersion))
	require.NotContains(t, err.Error(), "this pmctl", "an agent's client reads it, too, and is the newer one")
	next, _ := hint.Of(err)
	require.Contains(t, next, "restart agents and signers")
}

func TestRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	for i := range 200 {
		reserve(t, s, params(byte(i)), 1)
	}
	require.NoError(t, s.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)

	t.Run("truncated", func(t *testing.T) {
		cut := filepath.Join(t.TempDir(), "store.db")
		require.NoError(t, os.WriteFile(cut, data[:len(data)/2], 0o600))
		require.ErrorIs(t, useOnce(t, cut), ErrDamaged)
	})
	t.Run("overwritten", func(t *testing.T) {
		broken := filepath.Join(t.TempDir(), "store.db")
		for i := 4096; i < len(data); i++ {
			data[i] = 0x5a
		}
		require.NoError(t, os.WriteFile(broken, data, 0o600))
		require.ErrorIs(t, useOnce(t, broken), ErrDamaged)
	})
}

func TestCounterSetBack(t *testing.T) { onEach(t, counterSetBack) }

func counterSetBack(t *testing.T, place place) {
	for _, count := range []int{0, 2, 9} { // 2 would reserve nonces again without a matching first nonce
		s := open(t, place(t))
		reserve(t, s, params(1), 5)
		change(t, s, `UPDATE sessions SET used_nonces = $1`, count)
		_, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 3, 0)
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, "its last reservation ends at 5")
	}
}

func TestAccess(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{
		dir,
		filepath.Join(file, "store.db"),
		filepath.Join("/proc/self", "no", "store.db"),
	} {
		_, err := Open(t.Context(), path)
		require.ErrorIs(t, err, ErrAccess, path)
	}
}

func TestKeptParams(t *testing.T) { onEach(t, keptParams) }

func keptParams(t *testing.T, place place) {
	s := open(t, place(t))
	ctx, c := t.Context(), s.Chain(testChain)
	me, url := common.Address{1}, "https://recipient:8935"

	_, err := c.Params(ctx, me, url)
	require.ErrorIs(t, err, ErrNoParams)
	require.NoError(t, c.DropParams(ctx, me, url), "deleting absent params")

	require.NoError(t, c.SaveParams(ctx, me, url, []byte(`{"a":1}`)))
	require.NoError(t, c.SaveParams(ctx, me, url, []byte(`{"a":2}`)))
	got, err := c.Params(ctx, me, url)
	require.NoError(t, err)
	require.Equal(t, `{"a":2}`, string(got))

	for _, other := range []func() ([]byte, error){
		func() ([]byte, error) { return s.Chain(1).Params(ctx, me, url) },
		func() ([]byte, error) { return c.Params(ctx, common.Address{2}, url) },
		func() ([]byte, error) { return c.Params(ctx, me, url+"/") },
	} {
		_, err := other()
		require.ErrorIs(t, err, ErrNoParams)
	}
	require.NoError(t, c.DropParams(ctx, me, url))
	_, err = c.Params(ctx, me, url)
	require.ErrorIs(t, err, ErrNoParams)
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	oneday.For(t, aTest)
	s, err := Open(context.Background(), path)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// useOnce opens a store, reads all of it and reserves a nonce.
func useOnce(t *testing.T, path string) error {
	s, err := Open(t.Context(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	for i := range 200 {
		if _, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(byte(i)), 1, 0); err != nil {
			return err
		}
	}
	return nil
}

func params(session byte) *pm.TicketParams {
	winProb := new(big.Int).Lsh(big.NewInt(1), 254)
	return &pm.TicketParams{
		Recipient:         common.Address{0xaa},
		FaceValue:         big.NewInt(4_000_000_000_000),
		WinProb:           winProb,
		RecipientRandHash: common.Hash{session, 0xff},
		ExpirationBlock:   big.NewInt(140),
	}
}

func reserve(t testing.TB, s *Store, p *pm.TicketParams, n uint32) pm.NonceRange {
	t.Helper()
	nonces, err := s.Chain(testChain).ReserveNonces(context.Background(), common.Address{1}, p, n, 0)
	require.NoError(t, err)
	return nonces
}

// TestTheLogOfAFileShrinks: while one process reads for long, such as an export, others write to the
// log. It does not keep the size that it has then.
func TestTheLogOfAFileShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	writing, reading := open(t, path), open(t, path)
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return info.Size()
	}
	save := func(text string, length int) {
		require.NoError(t, writing.Chain(testChain).SaveParams(t.Context(), common.Address{1}, "https://r", bytes.Repeat([]byte(text), length)))
	}
	const limit, large = 16 << 20, 8 << 20
	_, err := read(t.Context(), reading, "read for long", func(tx *db.Tx) (int64, error) {
		_, err := meta(tx, metaID)
		for _, text := range []string{"a", "b", "c"} {
			save(text, large)
		}
		return 0, err
	})
	require.NoError(t, err)
	require.Greater(t, size(), int64(limit))
	save("d", large) // the log is copied into the file,
	save("e", 1)     // and begins anew
	require.LessOrEqual(t, size(), int64(limit))
}
