package db

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Location is where a database is.
type Location struct {
	// Name is a file's absolute path, or a URL without its secrets.
	Name string

	config *pgx.ConnConfig // nil for a file
}

// IsFile reports whether the location is a file, not a PostgreSQL database.
func (l Location) IsFile() bool { return l.config == nil }

// Locate parses a location. It fails with ErrLocation, and ErrAccess.
func Locate(location string) (Location, error) {
	isDatabase, err := classify(location)
	switch {
	case err != nil:
		return Location{}, err
	case !isDatabase:
		path, err := followed(location)
		return Location{Name: path}, NoAccess(err)
	}
	config, err := parseURL(location, allKeys)
	if err != nil {
		return Location{}, err
	}
	return Location{displayURL(config), config}, nil
}

// followed returns the absolute path of a file, or of the one that a symbolic link there leads to:
// what is beside the file, its log, mark and runs, must be the same for all who use it. A link in a
// folder's place changes nothing about that, and stays in the name.
func followed(location string) (string, error) {
	path, err := filepath.Abs(location)
	if err != nil {
		return "", err
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		return path, nil // or it is found out where the file is opened
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("the symbolic link %s is broken: %w", path, err)
	}
	return target, nil
}

const (
	// keyword is the beginning of a list of settings, such as host=/run/postgresql.
	keyword = `^\s*([a-z_]+)\s*=`
	// scheme is the beginning of a location that is not a plain path, such as postgres:me@host,
	// file:name or :memory:.
	scheme = `^[A-Za-z0-9+.-]*:`
)

// classify reports whether a location is a database: a postgres:// URL, or settings in libpq's form
// (host=… dbname=…). Everything else is a file's path; one that begins with / or ./ always is. A
// location that looks like neither is refused, since a machine of a fleet that created a file would
// count nonces and budgets alone. The error shows no part of it, which could be a password.
func classify(location string) (isDatabase bool, err error) {
	switch {
	case location == "":
		return false, fmt.Errorf("%w: it is empty", ErrLocation)
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		return true, nil
	case strings.TrimSpace(location) != location && !regexp.MustCompile(keyword).MatchString(location):
		return false, fmt.Errorf("%w: it begins or ends with white space", ErrLocation)
	case strings.HasPrefix(location, "~"):
		return false, fmt.Errorf("%w: ~ is a home folder only to a shell; write the path in full, or start a file's name that begins with ~ with ./", ErrLocation)
	case strings.HasPrefix(location, "/"), strings.HasPrefix(location, "./"), strings.HasPrefix(location, "../"),
		filepath.VolumeName(location) != "":
		return false, nil
	}
	if found := regexp.MustCompile(keyword).FindStringSubmatch(location); found != nil {
		if slices.Contains(allKeys, found[1]) || found[1] == "dbname" {
			return true, nil
		}
		return false, fmt.Errorf("%w: it begins with a setting that PostgreSQL does not have; start a file's path that contains = with ./ or /", ErrLocation)
	}
	if regexp.MustCompile(scheme).MatchString(location) {
		return false, fmt.Errorf("%w: a database is postgres://USER@HOST/DATABASE or host=HOST dbname=DATABASE; start a file's path that contains : with ./ or /", ErrLocation)
	}
	return false, nil
}
