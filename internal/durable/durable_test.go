package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/durable/forgetful"
)

func write(files durable.FS, path, text string, how durable.Placement) error {
	f, err := durable.Create(files, path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(text)); err != nil {
		return err
	}
	if err := f.Finish(); err != nil {
		return err
	}
	return f.Place(how)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// TestWhatIsWrittenSurvives loses power after each kind of write: what was written is
// there, whole, under its name and under no other.
func TestWhatIsWrittenSurvives(t *testing.T) {
	root := t.TempDir()
	files := forgetful.Below(root)
	dir := filepath.Join(root, "above", "folder")
	require.NoError(t, durable.MkdirAll(files, dir))
	require.NoError(t, files.LosePower())
	require.DirExists(t, dir)

	path := filepath.Join(dir, "file")
	for _, step := range []struct {
		text string
		how  durable.Placement
	}{{"first", durable.New}, {"second", durable.Replace}, {"third", durable.Replace}} {
		require.NoError(t, write(files, path, step.text, step.how))
		require.NoError(t, files.LosePower())
		require.Equal(t, step.text, read(t, path))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	}
	other := filepath.Join(dir, "other")
	require.NoError(t, write(files, other, "linked", durable.Link))
	require.NoError(t, files.LosePower())
	require.Equal(t, "linked", read(t, other))
}

// TestWhatIsNotSyncedIsForgotten: the file system that these tests trust does forget.
func TestWhatIsNotSyncedIsForgotten(t *testing.T) {
	root := t.TempDir()
	files := forgetful.Below(root)
	require.NoError(t, files.Mkdir(filepath.Join(root, "folder"), 0o700))
	f, err := files.CreateTemp(root, "named")
	require.NoError(t, err)
	_, err = f.Write([]byte("content"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, files.SyncDir(root))
	require.NoError(t, os.WriteFile(filepath.Join(root, "folder", "past it"), []byte("content"), 0o600))
	require.NoError(t, files.LosePower())
	require.Empty(t, read(t, f.Name()), "a name without its content")
	require.NoFileExists(t, filepath.Join(root, "folder", "past it"))
	require.NoError(t, os.Remove(f.Name()))
	require.NoError(t, os.Remove(filepath.Join(root, "folder")))

	g, err := files.CreateTemp(root, "content")
	require.NoError(t, err)
	_, err = g.Write([]byte("content"))
	require.NoError(t, err)
	require.NoError(t, g.Sync())
	require.NoError(t, g.Close())
	require.NoError(t, files.SyncDir(root))
	require.NoError(t, os.WriteFile(g.Name(), []byte("not synced"), 0o600))
	require.NoError(t, files.LosePower())
	require.Equal(t, "content", read(t, g.Name()))
}

// withoutLinks is a file system without links, as on memory cards.
type withoutLinks struct{ durable.OS }

func (withoutLinks) Link(from, to string) error {
	return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM}
}

// TestErrorsNameTheFile: an error names the file that the caller asked for, and not the
// temporary one beside it.
func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	missing, folder, link := filepath.Join(dir, "missing", "file"), filepath.Join(dir, "folder"), filepath.Join(dir, "link")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "inside"), 0o700))
	for path, how := range map[string]durable.Placement{missing: durable.Replace, folder: durable.Replace, link: withoutLinksTo} {
		err := write(durable.OS{}, path, "text", how)
		var named *fs.PathError
		require.ErrorAs(t, err, &named)
		require.Equal(t, path, named.Path)
		require.NotContains(t, err.Error(), ".tmp")
	}
}

// withoutLinksTo is a placement that fails as a file system without links does.
func withoutLinksTo(_ durable.FS, from, to string) error { return withoutLinks{}.Link(from, to) }

func TestNewReplacesNothing(t *testing.T) {
	for name, files := range map[string]durable.FS{"links": durable.OS{}, "no links": withoutLinks{}} {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, write(files, path, "first", durable.New), name)
		require.ErrorIs(t, write(files, path, "second", durable.New), fs.ErrExist, name)
		require.Equal(t, "first", read(t, path), name)
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, entries, 1, name)

		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Symlink("nowhere", path))
		require.ErrorIs(t, write(files, path, "third", durable.New), fs.ErrExist, "not even a link that leads nowhere")
		require.NoError(t, os.Remove(path))
		require.Error(t, durable.New(files, path+".none", path), name)
		require.NoFileExists(t, path, name)
	}
}

// unsyncable is a file system whose folders cannot be synced.
type unsyncable struct{ durable.OS }

var errIO = errors.New("input/output error")

func (unsyncable) SyncDir(string) error { return errIO }

func TestAFileWhoseNameIsNotSyncedIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	err := write(unsyncable{}, path, "content", durable.New)
	require.ErrorIs(t, err, durable.ErrUnsynced)
	require.ErrorIs(t, err, errIO)
	require.EqualError(t, err, path+" is written, but might not survive a power failure: input/output error")
	require.Equal(t, "content", read(t, path))
}
