package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Counted returns a limit that the file sets and that is counted in the store: another
// store would count it from nothing again. It is "" when the file sets none.
func (f *File) Counted() policy.Setting {
	var found policy.Setting
	for _, spec := range policy.Table() {
		if _, set := f.Rules.Values[spec.Setting]; set && spec.Counted {
			found = spec.Setting
			if spec.Section == policy.SectionBudget {
				break // of several, the first budget says most
			}
		}
	}
	return found
}

// OtherStoreError is a store in which a binding limit would be counted anew. It matches
// policy.ErrLimit.
type OtherStoreError struct {
	// Store is the location that was chosen, and ChosenBy what chose it: a flag, a
	// variable, or a setting with its file.
	Store, ChosenBy string

	// Limit is what is counted, with its file; Bound is the store that it is counted in,
	// and BoundBy what names that.
	Limit, Bound, BoundBy string
}

func (e *OtherStoreError) Error() string {
	return fmt.Sprintf("%s: the store %s is not %s, in which %s is counted", e.ChosenBy, store.Display(e.Store), store.Display(e.Bound), e.Limit)
}

// Is matches policy.ErrLimit.
func (e *OtherStoreError) Is(target error) bool { return target == policy.ErrLimit }

// Hint says what can be done.
func (e *OtherStoreError) Hint() string {
	return fmt.Sprintf("leave out %s, or change %s", e.ChosenBy, e.BoundBy)
}

// UnboundStoreError is a limit that is counted in a store which the environment, the home
// folder or the working directory decides. It matches policy.ErrLimit.
type UnboundStoreError struct {
	// Limit is what is counted, with its file, and Path that file's.
	Limit, Path string

	// DecidedBy is what decides where the store is.
	DecidedBy string
}

func (e *UnboundStoreError) Error() string {
	return fmt.Sprintf("%s is counted in a store that %s decides", e.Limit, e.DecidedBy)
}

// Is matches policy.ErrLimit.
func (e *UnboundStoreError) Is(target error) bool { return target == policy.ErrLimit }

// Hint says what can be done.
func (e *UnboundStoreError) Hint() string {
	return fmt.Sprintf("name it in %s: store = \"/ABSOLUTE/PATH/store.db\", or a database with its host, port and name", e.Path)
}

// DecidedBy returns what decides which store a location names, beside the location: the
// working directory for a relative path, the environment for what a database's URL or
// settings leave out. It is "" when nothing does. Getenv reads the environment.
func DecidedBy(location string, getenv func(string) string) string {
	var names func(key string) bool
	switch {
	case isURL(location):
		u, err := url.Parse(location)
		if err != nil {
			return "a URL that cannot be read"
		}
		names = func(key string) bool { return urlNames(u, key) }
	case isSettings(location):
		names = func(key string) bool { return regexp.MustCompile(`(^|\s)` + key + `\s*=`).MatchString(location) }
	case filepath.IsAbs(location):
		return ""
	default:
		return "the working directory"
	}
	if names("service") {
		return "a service file"
	}
	var open []string
	if !names("host") {
		open = append(open, "PGHOST")
	}
	if !names("port") {
		open = append(open, "PGPORT")
	}
	if !names("database") && !names("dbname") {
		open = append(open, "PGDATABASE", "PGUSER") // a database is named like its user
	}
	if len(open) > 0 {
		open = append(open, "PGSERVICE")
	}
	if i := slices.IndexFunc(open, func(name string) bool { return getenv(name) != "" }); i >= 0 {
		return open[i]
	}
	return ""
}

// urlNames tells whether a database's URL has a part.
func urlNames(u *url.URL, key string) bool {
	switch {
	case u.Query().Has(key):
		return true
	case key == "host":
		return u.Host != ""
	case key == "port": // of each of its hosts
		return !slices.ContainsFunc(strings.Split(u.Host, ","), func(host string) bool { return (&url.URL{Host: host}).Port() == "" })
	case key == "database":
		return strings.Trim(u.Path, "/") != ""
	}
	return false
}

// SameStore tells whether two locations name one store. A password in a URL makes no
// difference; any other difference in how a database is named counts as another store.
func SameStore(a, b string) bool { return resolved(a) == resolved(b) }

func resolved(location string) string {
	if isURL(location) {
		u, err := url.Parse(strings.Replace(location, "postgresql://", "postgres://", 1))
		if err != nil {
			return location
		}
		u.User = url.User(u.User.Username())
		query := u.Query()
		query.Del("password")
		u.RawQuery = query.Encode()
		return u.String()
	}
	if isSettings(location) {
		return location
	}
	path, err := filepath.Abs(location)
	if err != nil {
		return location
	}
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		return whole
	}
	// The store need not be there yet; its folder, most often, is.
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// isSettings tells a list of libpq's settings, such as host=db dbname=pay, from a path.
func isSettings(location string) bool {
	return regexp.MustCompile(`^\s*[a-z_]+\s*=`).MatchString(location)
}

func isURL(location string) bool { return strings.Contains(location, "://") }
