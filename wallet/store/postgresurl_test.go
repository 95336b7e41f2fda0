package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHasPassword(t *testing.T) {
	for location, want := range map[string]bool{
		"postgres://me:secret@host/db":               true,
		"postgresql://me:secret@host:1/db":           true,
		"postgres://host/db?user=me&password=secret": true,
		"postgres://host/db?pass%77ord=secret":       true,
		"postgres://me@host/db?sslpassword=secret":   true,
		"postgres://me@host/db?sslmode=verify-full":  false,
		"postgres://me@host,other:7/db":              false,
		"postgres://":                                false,
		"/home/me/postgres:/me:secret@host":          false,
		"store.db":                                   false,
	} {
		require.Equal(t, want, HasPassword(location), location)
	}
}

// An invalid URL is not shown, wherever its password is.
func TestInvalidURLsAreNotShown(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, location := range []string{
		"postgres://me:sec/ret@host/db",
		"postgres://me:sec:ret@host:x/db",
		"postgres://me:%zzret@host/db",
		"postgres://me:secret@host:99999999/db",
		"postgres://me:secret@[::1/db",
		"postgres://me:secret@host/db?sslmode=ret",
		"postgres://me:secret@host/db?search_path=ret",
		"postgres://me:secret@host/db?options=-csearch_path%3Dret",
		"postgres://me:secret@host/db?sslrootcert=/no/such/file",
		"postgres://me:secret@host/db?passwrd=ret",
		"mysql://me:secret@host/db",
	} {
		_, err := Open(t.Context(), location)
		require.ErrorIs(t, err, ErrLocation, location)
		require.NotContains(t, err.Error(), "sec", location)
		require.NotContains(t, err.Error(), "ret@", location)
		require.NotContains(t, err.Error(), "ret\"", location)
	}
	left, err := filepath.Glob("*")
	require.NoError(t, err)
	require.Empty(t, left, "no folder of that name")
}

// A setting that no URL has right is not blamed on the URL.
func TestSettingsOfOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o600))
	for setting, says := range map[string]string{
		"PGSSLMODE=on":          "PGSSLMODE and its like, or of a service file: sslmode is invalid",
		"PGSSLROOTCERT=" + file: "unable to add CA to cert pool",
		"PGSSLCERT=" + file:     `both "sslcert" and "sslkey" are required`,
		"PGSERVICE=none":        "the service that the URL or PGSERVICE names: ",
	} {
		t.Run(setting, func(t *testing.T) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
			_, err := Open(t.Context(), "postgres://me:secret@127.0.0.1:1/db")
			require.ErrorIs(t, err, ErrLocation)
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}
