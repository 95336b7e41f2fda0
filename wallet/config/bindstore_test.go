package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
)

func TestWhatIsCountedInTheStore(t *testing.T) {
	for text, want := range map[string]policy.Setting{
		"":                               "",
		"limits.max_total_ev = \"1eth\"": "",
		"limits.nonce_cap = 5":           policy.NonceCap,
		"budget.ev_per_day = \"1eth\"":   policy.EVPerDay,
		"budget.recipient_face_value_per_day = \"1eth\"\nlimits.nonce_cap = 5": policy.RecipientFaceValuePerDay,
	} {
		f, err := Read(write(t, text))
		require.NoError(t, err)
		require.Equal(t, want, f.Counted(), text)
	}
}

func TestSameStore(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	require.NoError(t, os.Mkdir(filepath.Join(folder, "there"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(folder, "there"), link))
	path := filepath.Join(folder, "there", "store.db")
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{path, path, true},
		{path, filepath.Join(folder, "there", "..", "there", "store.db"), true},
		{path, filepath.Join(link, "store.db"), true},
		{path, filepath.Join(folder, "store.db"), false},
		{path, "postgres://host/db", false},
		{"postgres://me@host/db", "postgresql://me:secret@host/db", true},
		{"postgres://me@host/db?sslmode=require&password=x", "postgres://me@host/db?sslmode=require", true},
		{"postgres://me@host/db", "postgres://me@host/other", false},
		{"postgres://me@host/db", "postgres://me@host:5433/db", false},
		{"postgres:///db?host=/run/a&port=1", "postgres:///db?host=/run/a&port=2", false},
		{"postgres://h1:1,h2:2/db", "postgres://h1:1,h2:2/db", true},
		{"postgres://h1:1,h2:2/db", "postgres://h1:1,h3:2/db", false},
		{"host=db dbname=pay", "host=db dbname=pay", true},
		{"host=db dbname=pay", "host=db dbname=other", false},
	} {
		require.Equal(t, c.same, sameStore(c.a, c.b), "%s and %s", c.a, c.b)
		require.Equal(t, c.same, sameStore(c.b, c.a), "%s and %s", c.b, c.a)
	}
}

func TestDecidedBy(t *testing.T) {
	for _, c := range []struct {
		location, set, by string
	}{
		{filepath.Join(t.TempDir(), "store.db"), "PGHOST", ""},
		{"store.db", "", "the working directory"},
		{"postgres://me@host:5432/db", "PGHOST PGPORT PGDATABASE PGUSER PGSERVICE", ""},
		{"postgres://me@host/db", "", ""},
		{"postgres://me@host/db", "PGPORT", "PGPORT"},
		{"postgres://me@host/db", "PGSERVICE", "PGSERVICE"},
		{"postgres://me@host:5432", "PGDATABASE", "PGDATABASE"},
		{"postgres://host:5432/", "PGUSER", "PGUSER"},
		{"postgres:///db?port=5432", "PGHOST", "PGHOST"},
		{"postgres:///?port=5432&host=/run/pg&database=db", "PGHOST PGPORT PGDATABASE PGUSER PGSERVICE", ""},
		{"postgres:///db?service=x", "", "a service file"},
		{"postgres://h1:1,h2:2/db", "PGPORT", ""},
		{"host=db port=5432 dbname=pay", "PGHOST PGPORT PGDATABASE PGUSER PGSERVICE", ""},
		{"host=db dbname=pay", "PGPORT", "PGPORT"},
		{"port = 1 database=pay", "PGHOST", "PGHOST"},
		{"host=db port=1", "PGUSER", "PGUSER"},
		{"service=x", "", "a service file"},
		{"postgres://h1,h2:2/db", "PGPORT", "PGPORT"},
	} {
		by := decidedBy(c.location, func(name string) string {
			if slices.Contains(strings.Fields(c.set), name) {
				return "x"
			}
			return ""
		})
		require.Equal(t, c.by, by, "%s with %s", c.location, c.set)
	}
}
