//go:build unix

package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/pmctl/pmctl/internal/durable"
)

// TestMain lets the test binary be a process whose limits a test may change, or
// that a test may kill.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "helper" {
		if err := helper(os.Args[2], os.Args[3]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// helper does one job in a process of its own.
func helper(job, path string) error {
	ctx := context.Background()
	account := func(store *Store) error {
		_, err := store.New(ctx, say("secret"), Light)
		return err
	}
	passwd := func(store *Store) error {
		account, err := store.Default()
		if err != nil {
			return err
		}
		return store.ChangePassphrase(ctx, account, say("secret"), say("next"), Light)
	}
	switch job {
	case "new with umask 0":
		unix.Umask(0)
		return account(Open(path))
	case "new with umask 0777":
		unix.Umask(0o777)
		return account(Open(path))
	case "new on a full disk", "passwd on a full disk":
		// The kernel's answer to a write over the limit is EFBIG, and a signal.
		signal.Ignore(unix.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100, Max: 100}); err != nil {
			return err
		}
		if strings.HasPrefix(job, "new") {
			return account(Open(path))
		}
		return passwd(Open(path))
	case "passwd in a locked folder", "new in a locked folder":
		// To root no folder is locked.
		if os.Getuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				return err
			}
		}
		if strings.HasPrefix(job, "new") {
			return account(Open(path))
		}
		return passwd(Open(path))
	case "write for ever":
		for i := 0; ; i++ {
			content := contents[i%2]
			same := func(data []byte) error {
				if !bytes.Equal(data, content) {
					return errors.New("other content")
				}
				return nil
			}
			if err := writeFile(durable.OS{}, path, content, same, durable.Replace); err != nil {
				return err
			}
			if i == 0 {
				fmt.Println("started")
			}
		}
	}
	return errors.New("no such job")
}

// contents are what a process writes in turn until it is killed.
var contents = [2][]byte{bytes.Repeat([]byte("old"), 20_000), bytes.Repeat([]byte("new!"), 10_000)}

// inProcess runs a job and returns what it said when it failed.
func inProcess(t *testing.T, job, path string) string {
	t.Helper()
	out, err := exec.Command(os.Args[0], "helper", job, path).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.Equal(t, 1, exit.ExitCode(), "%s", out)
		return string(out)
	}
	require.NoError(t, err)
	require.Empty(t, string(out))
	return ""
}

func TestModesDoNotDependOnTheUmask(t *testing.T) {
	for _, job := range []string{"new with umask 0", "new with umask 0777"} {
		store := Open(filepath.Join(t.TempDir(), "above", "keys"))
		require.Empty(t, inProcess(t, job, store.Path()), job)
		account, err := store.Default()
		require.NoError(t, err, job)
		for path, mode := range map[string]os.FileMode{
			account.URL.Path:           0o600,
			store.Path():               0o700 | os.ModeDir,
			filepath.Dir(store.Path()): 0o700 | os.ModeDir,
		} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode(), "%s: %s", job, path)
		}
	}
}

func TestAFolderThatIsThereKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o750))
	_, err := Open(dir).New(t.Context(), say("secret"), Light)
	require.NoError(t, err)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o750), info.Mode().Perm())
}

func TestPasswdTightensTheFilesMode(t *testing.T) {
	store, account := newAccount(t, "secret")
	require.NoError(t, os.Chmod(account.URL.Path, 0o644))
	require.NoError(t, store.ChangePassphrase(t.Context(), account, say("secret"), say("next"), Light))
	info, err := os.Stat(account.URL.Path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestFaultsOfTheDiskChangeNothing(t *testing.T) {
	for _, c := range []struct {
		job, says string
		mode      os.FileMode
	}{
		{"new on a full disk", "file too large", 0o700},
		{"passwd on a full disk", "file too large", 0o700},
		{"new in a locked folder", "permission denied", 0o555},
		{"passwd in a locked folder", "permission denied", 0o555},
	} {
		t.Run(c.job, func(t *testing.T) {
			store, account := newAccount(t, "secret")
			// The other user that the test becomes must get as far as the folder.
			require.NoError(t, os.Chmod(account.URL.Path, 0o644))
			for dir := filepath.Dir(store.Path()); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
				require.NoError(t, os.Chmod(dir, 0o755))
			}
			require.NoError(t, os.Chmod(store.Path(), c.mode))
			before, files := read(t, account.URL.Path), names(t, store.Path())

			said := inProcess(t, c.job, store.Path())
			require.Contains(t, said, "nothing was written")
			require.Contains(t, said, c.says)
			require.Equal(t, before, read(t, account.URL.Path))
			require.Equal(t, files, names(t, store.Path()), "nothing is left behind")
			require.NoError(t, os.Chmod(store.Path(), 0o700))
			mustUnlock(t, store, account, "secret")
		})
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	store := Open(filepath.Join(file, "keys"))
	_, err := store.New(t.Context(), say("secret"), Light)
	require.ErrorIs(t, err, unix.ENOTDIR)
	_, err = store.List()
	require.ErrorIs(t, err, unix.ENOTDIR)
}

// TestKilledWriterLeavesOldOrNew kills a process that replaces a file without
// end: whenever that happens, the file is one of the two, whole.
func TestKilledWriterLeavesOldOrNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.json")
	left := map[string]int{}
	for i := range 25 {
		cmd := exec.Command(os.Args[0], "helper", "write for ever", path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		started := make([]byte, len("started"))
		_, err = io.ReadFull(out, started)
		require.NoError(t, err)
		// Which step of a write is hit is left to chance.
		time.AfterFunc(time.Duration(i)*337*time.Microsecond, func() { _ = cmd.Process.Kill() })
		require.ErrorContains(t, cmd.Wait(), "killed")
		content := []byte(read(t, path))
		require.True(t, bytes.Equal(content, contents[0]) || bytes.Equal(content, contents[1]), "%d bytes", len(content))
		left[string(content[:3])]++
	}
	t.Logf("left behind: %v, unfinished files: %d", left, len(names(t, filepath.Dir(path)))-1)
	list, err := Open(filepath.Dir(path)).List()
	require.NoError(t, err)
	require.Len(t, list.Problems, 1, "unfinished files are hidden: only the file itself, which is no key, is seen")
}

func TestListPassesOverPipes(t *testing.T) {
	store, account := newAccount(t, "secret")
	require.NoError(t, unix.Mkfifo(filepath.Join(store.Path(), "pipe"), 0o600))
	require.NoError(t, os.Symlink("pipe", filepath.Join(store.Path(), "link to a pipe")))
	list, err := store.List()
	require.NoError(t, err)
	require.Empty(t, list.Problems)
	require.Len(t, list.Accounts, 1)
	require.Equal(t, account, list.Accounts[0])
}

func TestPassphraseFileOthersCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(path, []byte("secret\n"), 0o600))
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o444} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := PassphraseFile(path)(t.Context(), "")
		require.ErrorIs(t, err, ErrPassphraseFile)
		var readable *ReadableError
		require.ErrorAs(t, err, &readable)
		require.Contains(t, readable.Hint(), "chmod 600 '"+path+"'")
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(path, link))
		_, err = PassphraseFile(link)(t.Context(), "")
		require.ErrorIs(t, err, ErrPassphraseFile, "a link hides nothing")
	}
	for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
		require.NoError(t, os.Chmod(path, mode))
		got, err := PassphraseFile(path)(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, "secret", string(got))
	}
}

func TestPassphraseFromAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	var group errgroup.Group
	group.Go(func() error { return os.WriteFile(path, []byte("secret\n"), 0) })
	got, err := PassphraseFile(path)(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "secret", string(got))
	require.NoError(t, group.Wait())

	require.NoError(t, os.Chmod(path, 0o644))
	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer writer.Close()
	_, err = PassphraseFile(path)(t.Context(), "")
	require.ErrorIs(t, err, ErrPassphraseFile)
}

func TestAPipeThatNeverBeginsIsLeftWhenCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		_, err := PassphraseFile(path)(ctx, "")
		return err
	})
	cancel()
	require.ErrorIs(t, group.Wait(), context.Canceled)
}

func TestAPipeThatNeverEndsIsLeftWhenCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	// Open for both, so that opening does not wait for the other side.
	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer writer.Close()
	_, err = writer.WriteString("half of the pass")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		_, err := PassphraseFile(path)(ctx, "")
		return err
	})
	cancel()
	require.ErrorIs(t, group.Wait(), context.Canceled)
}
