package cmd

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShellsAreThere keeps the script completion.txtar from passing shells over where all
// are to be tried.
func TestShellsAreThere(t *testing.T) {
	if os.Getenv("PMCTL_REQUIRE_SHELLS") == "" {
		t.Skip("PMCTL_REQUIRE_SHELLS is not set")
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		_, err := exec.LookPath(shell)
		require.NoError(t, err)
	}
	require.FileExists(t, bashCompletion)
}

// bashCompletion is what pmctl's script for bash needs.
const bashCompletion = "/usr/share/bash-completion/bash_completion"
