package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/wallet/policy"
)

// Counted returns a limit of the file that the store counts, since another store would count it
// from zero; "" if the file sets none.
func (f *File) Counted() policy.Setting {
	var found policy.Setting
	for _, spec := range policy.Table() {
		if _, set := f.Rules.Values[spec.Setting]; set && spec.Counted {
			found = spec.Setting
			if spec.Section == policy.SectionBudget {
				break // the first of several budgets
			}
		}
	}
	return found
}

// decidedBy returns what else decides which store a location names: the working directory for a
// relative path, the environment for what a database's location leaves out; "" for nothing. getenv
// reads the environment.
func decidedBy(location string, getenv func(string) string) string {
	var names func(key string) bool
	switch {
	case isURL(location):
		u, err := url.Parse(location)
		if err != nil {
			return "a malformed URL"
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
		open = append(open, "PGDATABASE", "PGUSER") // the default database is named like its user
	}
	if len(open) > 0 {
		open = append(open, "PGSERVICE")
	}
	if i := slices.IndexFunc(open, func(name string) bool { return getenv(name) != "" }); i >= 0 {
		return open[i]
	}
	return ""
}

// urlNames reports whether a database's URL has a part.
func urlNames(u *url.URL, key string) bool {
	switch {
	case u.Query().Has(key):
		return true
	case key == "host":
		return u.Host != ""
	case key == "port": // of each host
		return !slices.ContainsFunc(strings.Split(u.Host, ","), func(host string) bool { return (&url.URL{Host: host}).Port() == "" })
	case key == "database":
		return strings.Trim(u.Path, "/") != ""
	}
	return false
}

// sameStore reports whether two locations name the same store. It ignores passwords; any other
// difference in a database's location makes it another store.
func sameStore(a, b string) bool { return resolved(a) == resolved(b) }

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
	// The store may not exist yet, but its folder usually does.
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// isSettings reports whether a location is a list of libpq settings, such as host=db dbname=pay,
// and not a path.
func isSettings(location string) bool {
	return regexp.MustCompile(`^\s*[a-z_]+\s*=`).MatchString(location)
}

func isURL(location string) bool { return strings.Contains(location, "://") }
