package cli

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStdinIsAFile: on every system, also where a descriptor is not a small number.
func TestStdinIsAFile(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	_, err = out.WriteString("a document")
	require.NoError(t, err)
	require.NoError(t, out.Close())
	env := System()
	env.In, env.InTerminal, env.OutClosed = in, false, false
	run := NewRun(env)
	require.NoError(t, run.Begin(t.Context(), nil))
	text, err := io.ReadAll(run.In)
	require.NoError(t, err)
	require.Equal(t, "a document", string(text))
}
