package cli

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/pmctl/pmctl/internal/access"
)

// ReadSecretFile reads a file that a flag names, which other users must not be able to read. Among
// the service manager's credentials it may have any mode.
func ReadSecretFile(env *Env, flag, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if others := access.Readers(path, info, env.Getenv("CREDENTIALS_DIRECTORY")); others != "" {
		return nil, WithHint(fmt.Errorf("%s %s can be read by %s", flag, path, others), "chmod 600 %s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}

// ReadEndpoint reads a server's URL and the headers of requests to it. Both may have secrets in
// them, which is why they come from a file.
func ReadEndpoint(env *Env, flag, path string) (url string, headers http.Header, err error) {
	text, err := ReadSecretFile(env, flag, path)
	if err != nil {
		return "", nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	url = strings.TrimSpace(lines[0])
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return "", nil, Usagef("the first line of %s is not an http:// or https:// URL", path)
	}
	headers = make(http.Header)
	for i, line := range lines[1:] {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return "", nil, Usagef("line %d of %s is not a header, written as NAME: VALUE", i+2, path)
		}
		headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return url, headers, nil
}
