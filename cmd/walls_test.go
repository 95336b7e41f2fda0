package cmd

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bounds of a package in which a reader finds their way.
const (
	// maxCircle is the most files that may all need each other.
	maxCircle = 8
	// maxMethods is the most methods of a type, maxSharedMethods of one that the commands
	// share.
	maxMethods, maxSharedMethods = 40, 12
)

// TestPackagesCanBeRead holds every package to the bounds above.
func TestPackagesCanBeRead(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the code, and runs none of it")
	}
	exports := make(map[string]string)
	for _, p := range listed(t, "-export", "-deps", module+"/...") {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	// One importer for all, since what they import is much the same.
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	for _, p := range listed(t, module+"/...") {
		files, pkg := p.arrows(t, fset, imports)
		for from, reached := range files {
			circle := []string{from}
			for to := range reached {
				if to != from && files[to][from] {
					circle = append(circle, to)
				}
			}
			slices.Sort(circle)
			assert.LessOrEqual(t, len(circle), maxCircle, "%s: these files all need each other: %v", p.ImportPath, circle)
		}
		most := maxMethods
		if strings.HasSuffix(p.ImportPath, "/internal/cli") {
			most = maxSharedMethods
		}
		for _, name := range pkg.Scope().Names() {
			if named, ok := pkg.Scope().Lookup(name).Type().(*types.Named); ok {
				assert.LessOrEqual(t, named.NumMethods(), most, "methods of %s.%s", p.ImportPath, name)
			}
		}
	}
}

// listedPackage is what go list says of a package.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles, CgoFiles       []string
}

func listed(t *testing.T, args ...string) (found []listedPackage) {
	t.Helper()
	list := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles,CgoFiles"}, args...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := in.Decode(&p); err == io.EOF {
			return found
		} else {
			require.NoError(t, err)
		}
		found = append(found, p)
	}
}

// arrows returns, for each hand-written file of a package, the files that it needs, of
// itself or by another.
func (p listedPackage) arrows(t *testing.T, fset *token.FileSet, imports types.Importer) (map[string]map[string]bool, *types.Package) {
	t.Helper()
	var parsed []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		require.NoError(t, err)
		if !ast.IsGenerated(file) {
			parsed = append(parsed, file)
		}
	}
	uses := make(map[*ast.Ident]types.Object)
	checker := types.Config{
		FakeImportC: true,
		Error:       func(error) {}, // what is generated is not there
		Importer:    imports,
	}
	pkg, _ := checker.Check(p.ImportPath, fset, parsed, &types.Info{Uses: uses})
	file := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	needs := make(map[string]map[string]bool)
	for _, f := range parsed {
		needs[file(f.Package)] = make(map[string]bool)
	}
	for at, used := range uses {
		local := used.Parent() != nil && used.Parent() != pkg.Scope()
		if used.Pkg() == pkg && used.Pos().IsValid() && !local {
			needs[file(at.Pos())][file(used.Pos())] = true
		}
	}
	for by := range needs {
		for from := range needs {
			if needs[from][by] {
				for to := range needs[by] {
					needs[from][to] = true
				}
			}
		}
	}
	return needs, pkg
}
