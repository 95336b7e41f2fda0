package signer

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

// adminOptions say where operators and monitors ask, and with which token.
type adminOptions struct {
	listen, tokenFile string
}

func (o *adminOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "admin-listen", "", "listen on `ADDRESS` for operators and monitors; without a host: on 127.0.0.1 (default: do not listen)")
	flags.StringVar(&o.tokenFile, "admin-token-file", "", "`FILE` with the token that operators and monitors must send, readable by you alone")
}

// minAdminToken is how long a token must be, in bytes.
const minAdminToken = 16

// token is "" without a file.
func (o *adminOptions) token(env *cli.Env) (string, error) {
	if o.tokenFile == "" {
		return "", nil
	}
	text, err := cli.ReadSecretFile(env, "--admin-token-file", o.tokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minAdminToken {
		return "", cli.Usagef("--admin-token-file %s has a token of %d characters, at least %d are required", o.tokenFile, len(token), minAdminToken)
	}
	return token, nil
}

// address is where to listen: an address without a host is on this machine alone.
func (o *adminOptions) address() string {
	if !strings.Contains(o.listen, ":") {
		return "127.0.0.1:" + o.listen
	}
	if strings.HasPrefix(o.listen, ":") {
		return "127.0.0.1" + o.listen
	}
	return o.listen
}

// checkExposure refuses an address that is not loopback without TLS and a token.
func (o *adminOptions) checkExposure(encrypted bool) error {
	here, err := isLoopback("--admin-listen", o.address())
	switch {
	case err != nil || here:
		return err
	case o.tokenFile == "":
		return cli.Usage(cli.WithHint(fmt.Errorf("%w (%s) without authentication", errExposed, o.listen), "pass --admin-token-file FILE, or listen on 127.0.0.1"))
	case !encrypted:
		return cli.Usage(cli.WithHint(fmt.Errorf("%w (%s) without TLS", errExposed, o.listen), "pass --tls-cert and --tls-key, or listen on 127.0.0.1"))
	}
	return nil
}
