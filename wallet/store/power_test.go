package store

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/durable/forgetful"
)

// TestAMarkSurvivesAPowerFailure: with the folders that were made for it.
func TestAMarkSurvivesAPowerFailure(t *testing.T) {
	root := t.TempDir()
	files := forgetful.Below(root)
	path := filepath.Join(root, "store.db")
	beside := markOf(path)
	beside.files = files
	require.NoError(t, beside.create(markState{id: "id", writer: "writer", generation: 1}))
	require.NoError(t, files.LosePower())
	_, known, err := markOf(path).recall()
	require.NoError(t, err)
	require.True(t, known)

	// A database's mark has a folder of its own.
	folder := filepath.Join(root, "marks", "of machines")
	server := &mark{files: files, folder: folder, prefix: "server."}
	require.NoError(t, server.create(markState{id: "id", writer: "writer", generation: 1}))
	require.NoError(t, files.LosePower())
	entries, err := filepath.Glob(filepath.Join(folder, "server.*"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
