package db

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// publicKeys are the parts of a URL that may be shown. Settings that a store depends on, such
// as the schema, cannot be set there.
var publicKeys = []string{
	"host", "port", "user", "database", "service", "servicefile", "passfile", "application_name", "connect_timeout",
	"target_session_attrs", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation", "sslsni",
	"channel_binding", "require_auth", "krbspn", "krbsrvname",
}

// defaultPort is PostgreSQL's.
const defaultPort = 5432

// allKeys are publicKeys and secrets.
var allKeys = slices.Concat(publicKeys, []string{"password", "sslpassword"})

// HasPassword is documented in package store.
func HasPassword(location string) bool {
	if isDatabase, err := classify(location); err != nil || !isDatabase {
		return false
	}
	_, err := parseURL(location, publicKeys)
	if err == nil {
		return false
	}
	_, err = parseURL(location, allKeys)
	return err == nil
}

// parseURL parses a URL with no keys but these. Missing parts come from PGPASSWORD and other
// variables, ~/.pgpass or a service file, as in PostgreSQL's own programs.
func parseURL(location string, keys []string) (*pgx.ConnConfig, error) {
	var options pgx.ParseConfigOptions
	options.ConnStringAllowedKeys = keys
	if err := unescaped(location); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfigWithOptions(location, options)
	if err == nil {
		return config, nil
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("%w: a file named in it: %w", ErrLocation, file)
	}
	if setting := settingError(err); setting != nil {
		return nil, setting
	}
	// The driver's message may contain a password.
	return nil, errURL()
}

// settingError is the error of a setting that need not be the URL's: it may come from a variable or
// a service file. Nil is any other error.
func settingError(err error) error {
	reason := errors.Unwrap(err)
	if reason == nil {
		return nil
	}
	for about, whose := range map[string]string{
		"failed to configure TLS": "the TLS settings of the URL, of PGSSLMODE and its like, or of a service file",
		"failed to read service":  "the service that the URL or PGSERVICE names",
	} {
		if strings.HasSuffix(err.Error(), about+" ("+reason.Error()+")") {
			return fmt.Errorf("%w: %s: %w", ErrLocation, whose, reason)
		}
	}
	return nil
}

func errURL() error {
	return fmt.Errorf("%w: write postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full; in a name or a password "+
		"%%40 stands for @, %%2F for /, %%3F for ? and %%23 for #; after the ? may come %s", ErrLocation, strings.Join(publicKeys[5:], ", "))
}

// unescaped refuses a URL with an unescaped delimiter, which would make half of a password a
// host, a port or a database, and show it.
func unescaped(location string) error {
	_, rest, isURL := strings.Cut(location, "://")
	if !isURL {
		return nil
	}
	_, behind, _ := strings.Cut(rest, "/")
	if strings.Contains(rest, "#") || strings.Contains(behind, "@") || strings.Count(rest, "@") > 1 {
		return errURL()
	}
	return nil
}

// displayURL is the database's URL without secrets. It names all servers: a machine remembers a
// database by it.
func displayURL(config *pgx.ConnConfig) string {
	u := url.URL{Scheme: "postgres", Path: "/" + config.Database}
	u.RawPath = strings.ReplaceAll(u.EscapedPath(), "@", "%40")
	if config.User != "" {
		u.User = url.User(config.User)
	}
	all := []pgconn.FallbackConfig{{Host: config.Host, Port: config.Port}}
	for _, one := range config.Fallbacks {
		all = append(all, pgconn.FallbackConfig{Host: one.Host, Port: one.Port})
	}
	all = slices.Compact(all) // each is listed with TLS and without
	var addresses, hosts, ports []string
	var socket, other bool
	for _, one := range all {
		port := strconv.Itoa(int(one.Port))
		addresses, hosts, ports = append(addresses, net.JoinHostPort(one.Host, port)), append(hosts, one.Host), append(ports, port)
		socket, other = socket || path.IsAbs(one.Host), other || one.Port != defaultPort
	}
	if !socket {
		u.Host = strings.Join(addresses, ",")
		return u.String()
	}
	query := url.Values{"host": {strings.Join(hosts, ",")}}
	if other {
		query.Set("port", strings.Join(ports, ","))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Display is documented in package store.
func Display(location string) string {
	if isDatabase, err := classify(location); err != nil {
		return "an unusable location"
	} else if !isDatabase {
		return location
	}
	at, err := Locate(location)
	if err != nil {
		return "an unusable URL"
	}
	return at.Name
}
