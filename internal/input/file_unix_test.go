//go:build unix

package input

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	return path
}

func TestReadsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("all of it"), 0o600))
	f, err := Open(t.Context(), path)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 9, info.Size())
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "all of it", string(text))
	require.NoError(t, f.Close())

	_, err = Open(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadsPipes(t *testing.T) {
	path := fifo(t)
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(path, []byte("through a pipe"), 0) }()
	f, err := Open(t.Context(), path)
	require.NoError(t, err)
	defer f.Close()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "through a pipe", string(text))
	require.NoError(t, <-wrote)
}

var errEnough = errors.New("enough")

// A pipe without a writer, opened before or after the end.
func TestAPipeWithoutAWriter(t *testing.T) {
	for range 20 {
		path := fifo(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := Open(ctx, path)
			failed <- err
		}()
		cancel(errEnough)
		require.ErrorIs(t, <-failed, errEnough)
	}
}

func TestASilentPipe(t *testing.T) {
	path := fifo(t)
	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer writer.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	f, err := Open(ctx, path)
	require.NoError(t, err)
	defer f.Close()
	failed := make(chan error, 1)
	go func() {
		_, err := f.Read(make([]byte, 1))
		failed <- err
	}()
	cancel(errEnough)
	require.ErrorIs(t, <-failed, errEnough)
}
