package nodes

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// secrets are texts that must not be shown: what the nodes' URLs have beside their hosts.
type secrets []string

// fewest is how short a secret may be: what is shorter is a version or a name.
const fewest = 6

// secretsOf returns what is secret in URLs: user, password, and each part of the path and
// of the query.
func secretsOf(urls []*url.URL) secrets {
	var found secrets
	add := func(texts ...string) {
		for _, text := range texts {
			if len(text) >= fewest {
				found = append(found, text, url.QueryEscape(text), url.PathEscape(text))
			}
		}
	}
	for _, u := range urls {
		if password, ok := u.User.Password(); ok {
			add(password)
		}
		add(u.User.Username(), u.RawQuery)
		add(strings.Split(u.Path, "/")...)
		add(strings.Split(u.EscapedPath(), "/")...)
		for _, values := range u.Query() {
			add(values...)
		}
	}
	// The longest first: a part of it may be another one.
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(found)
}

// remove returns a text without the secrets.
func (s secrets) remove(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}

// clean returns an error without the secrets in its text.
func (s secrets) clean(err error) error {
	if text := err.Error(); s.remove(text) != text {
		return errors.New(s.remove(text))
	}
	return err
}

const (
	// mostWords and mostMessage bound the characters of what a node says, beside a fault and
	// as an answer. A contract's reason may be in that, in hexadecimal.
	mostWords, mostMessage = 200, 2000
)

// line is a text from elsewhere as it may be shown: on one line, not too long, and
// without the secrets.
func (s secrets) line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(s.remove(text), func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
