package db

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Location is where a database is.
type Location struct {
	// Name is a file's absolute path, or a URL without what is secret in it.
	Name string

	config *pgx.ConnConfig // nil for a file
}

// IsFile tells a file from a PostgreSQL database.
func (l Location) IsFile() bool { return l.config == nil }

// Locate reads a location. It fails with ErrLocation, and ErrAccess.
func Locate(location string) (Location, error) {
	isDatabase, err := classify(location)
	switch {
	case err != nil:
		return Location{}, err
	case !isDatabase:
		path, err := filepath.Abs(location)
		return Location{Name: path}, NoAccess(err)
	}
	config, err := parseURL(location, allKeys)
	if err != nil {
		return Location{}, err
	}
	return Location{displayURL(config), config}, nil
}

var (
	// keyword is how a list of settings begins, such as host=/run/postgresql.
	keyword = regexp.MustCompile(`^\s*([a-z_]+)\s*=`)
	// scheme is how a location begins that means more than a name, such as
	// postgres:me@host, file:name or :memory:.
	scheme = regexp.MustCompile(`^[A-Za-z0-9+.-]*:`)
)

// classify tells whether a location is that of a database: a postgres:// URL, or
// settings as libpq reads them (host=… dbname=…). All else is a file's path. What looks
// like neither is refused, since a machine of a fleet that made a file of it would
// count nonces and budgets alone; a path that begins with / or ./ is always a path.
// Nothing of a location that is refused is shown: a password could be anywhere in it.
func classify(location string) (isDatabase bool, err error) {
	switch {
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		return true, nil
	case strings.HasPrefix(location, "/"), strings.HasPrefix(location, "./"), strings.HasPrefix(location, "../"),
		filepath.VolumeName(location) != "":
		return false, nil
	}
	if found := keyword.FindStringSubmatch(location); found != nil {
		if slices.Contains(allKeys, found[1]) || found[1] == "dbname" {
			return true, nil
		}
		return false, fmt.Errorf("%w: it begins with a setting that is none of PostgreSQL's; a file's path with = in it begins with ./ or /", ErrLocation)
	}
	if scheme.MatchString(location) {
		return false, fmt.Errorf("%w: a database is postgres://USER@HOST/DATABASE or host=HOST dbname=DATABASE, and a file's path with : in it begins with ./ or /", ErrLocation)
	}
	return false, nil
}
