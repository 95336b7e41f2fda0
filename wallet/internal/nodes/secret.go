package nodes

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/pmctl/pmctl/internal/words"
)

// secrets are texts that must not be shown: the parts of the nodes' URLs besides the hosts.
type secrets []string

// fewest is the length of the shortest secret: anything shorter is a version or a name.
const fewest = 6

// secretsOf returns the secrets in URLs: user, password, and each part of the path and of the
// query.
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
	// The longest first: it may contain a shorter one.
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(found)
}

func (s secrets) remove(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}

func (s secrets) clean(err error) error {
	if text := err.Error(); s.remove(text) != text {
		return errors.New(s.remove(text))
	}
	return err
}

const (
	// mostWords and mostMessage limit the characters of a node's text, in a fault and in an
	// answer. An answer may have a contract's reason in hexadecimal.
	mostWords, mostMessage = 200, 2000
)

// line prepares foreign text to be shown: on one line, not too long, and without secrets.
func (s secrets) line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(s.remove(text), func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " ")
	return words.Cut(text, most)
}
