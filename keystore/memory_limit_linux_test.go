package keystore

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// limitedEnv has the test's own program limit its address space before it opens a key.
const limitedEnv = "PMCTL_TEST_LIMITED"

// TestAKeyThatTakesTooMuchMemory is refused by a process that may map 128 MiB more: it
// says so, and Go does not end it.
func TestAKeyThatTakesTooMuchMemory(t *testing.T) {
	if os.Getenv(limitedEnv) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), limitedEnv+"=1")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "PASS: "+t.Name())
		return
	}
	var now unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_AS, &now))
	const much = 1 << 40
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: much, Max: now.Max}))
	left, ok := addressSpace()
	require.True(t, ok)
	mapped := much - left - heapSlack
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: mapped + 128<<20, Max: now.Max}))
	_, err := UnlockJSON(t.Context(), []byte(testdata(t, "geth-scrypt-standard.json")), say("irrelevant"))
	require.ErrorIs(t, err, ErrTooLittleMemory)
	require.ErrorContains(t, err, "takes 256 MiB")
	require.ErrorContains(t, err, "ulimit -v")
}
