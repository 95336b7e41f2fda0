package pm

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The dependencies of an importer of this package besides the standard library. A new line here
// is a decision, not an accident.
var (
	importedPackages = []string{
		"github.com/ethereum/go-ethereum/accounts",
		"github.com/ethereum/go-ethereum/common",
		"github.com/ethereum/go-ethereum/core/types",
		"github.com/ethereum/go-ethereum/crypto",
		"github.com/ethereum/go-ethereum/event",
		"github.com/pmctl/pmctl/internal/num",
		"github.com/pmctl/pmctl/internal/ordered",
		"github.com/stretchr/testify/mock",
	}
	importedModules = []string{
		"github.com/bits-and-blooms/bitset",
		"github.com/consensys/gnark-crypto",
		"github.com/crate-crypto/go-eth-kzg",
		"github.com/decred/dcrd/dcrec/secp256k1/v4", // C replaces it where there is a C compiler
		"github.com/ethereum/go-ethereum",
		"github.com/holiman/uint256",
		"golang.org/x/sync",
		"golang.org/x/sys",
	}
	// addedByMocks are needed only by MockSender and MockRecipient.
	addedByMocks = []string{
		"github.com/stretchr/objx",
		"github.com/stretchr/testify",
		"go.yaml.in/yaml/v3",
	}
)

// TestImports checks the package's direct and indirect imports against these lists.
func TestImports(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command, which knows the imports, is not here")
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	withoutMocks := slices.DeleteFunc(files, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") || name == "mocks.go"
	})
	const itself, module = "github.com/pmctl/pmctl", `{{with .Module}}{{.Path}}{{end}}`
	foreign := func(paths []string) []string {
		return slices.DeleteFunc(paths, func(path string) bool {
			return path == itself || !strings.Contains(strings.Split(path, "/")[0], ".")
		})
	}
	direct := foreign(goList(t, `{{join .Imports "\n"}}`, "."))
	needed := foreign(goList(t, module, append([]string{"-deps"}, withoutMocks...)...))
	added := slices.DeleteFunc(foreign(goList(t, module, "-deps", ".")), func(path string) bool {
		return slices.Contains(needed, path)
	})
	pinned(t, "packages it imports", direct, importedPackages)
	pinned(t, "modules it needs without its mocks", needed, importedModules)
	pinned(t, "modules that its mocks add", added, addedByMocks)
}

func pinned(t *testing.T, what string, got, want []string) {
	t.Helper()
	t.Logf("%d %s:\n\t%s", len(got), what, strings.Join(got, "\n\t"))
	if !slices.Equal(got, want) {
		t.Errorf("the %s are not the %d that are pinned:\n\t%s", what, len(want), strings.Join(want, "\n\t"))
	}
}

// goList returns the lines that go list prints in a format, sorted, each once.
func goList(t *testing.T, format string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", format}, args...)...)
	// One platform, and without C, so that the lists are the same everywhere.
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return slices.Compact(lines)
}
