package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// changesMoney finds in Go code what signs, what takes nonces, what hands a transaction or
// tickets over, and what writes a table of the store.
var changesMoney = regexp.MustCompile(`\.Sign\([^)]|\.SignTx\(|\bReserveAll\(|SendTransaction\(|http\.MethodPost|INSERT INTO|UPDATE \w+ SET|DELETE FROM`)

// TestEveryFileThatChangesMoneyIsOnTheWalk: who reads layout.md has met each of them.
func TestEveryFileThatChangesMoneyIsOnTheWalk(t *testing.T) {
	page, err := os.ReadFile("layout.md")
	require.NoError(t, err)
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`,
		"./wallet/...", "./keystore/...", "./pm/...")
	list.Dir = ".."
	out, err := list.Output()
	require.NoError(t, err)
	root, err := os.Getwd()
	require.NoError(t, err)
	root = strings.TrimSuffix(root, "docs")
	there := 0
	for path := range strings.FieldsSeq(string(out)) {
		file := strings.TrimPrefix(path, root)
		if strings.HasPrefix(file, "wallet/devnet/") || strings.HasPrefix(file, "wallet/store/pgtest/") {
			continue
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if found := changesMoney.Find(text); found != nil {
			there++
			assert.True(t, strings.Contains(string(page), "(../"+file+")"), "layout.md does not name %s, which has %s", file, found)
		}
	}
	require.Greater(t, there, 20)
}
