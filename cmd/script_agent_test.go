package cmd

import (
	"context"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pmctl/pmctl/wallet/agent"
)

// endAgents ends the agent at the script's own socket when the script ends, however that
// goes.
func endAgents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: agents")
	}
	path := filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "pmctl", "agent.sock")
	ts.Defer(func() {
		client := agent.NewClient(path)
		defer client.Close()
		_, _ = client.Stop(context.Background()) // there need not be one any more
	})
}
