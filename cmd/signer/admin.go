package signer

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet/remote/admin"
	"github.com/pmctl/pmctl/wallet/remote/service"
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

// watched is what the options say of the admin listener, which is not open yet; nil without one.
func (o *adminOptions) watched(env *cli.Env, encrypted bool) (*service.Admin, error) {
	if o.listen == "" {
		if o.tokenFile != "" {
			return nil, cli.Usagef("--admin-token-file has no effect without --admin-listen ADDRESS")
		}
		return nil, nil
	}
	if err := checkExposure("--admin-listen", o.address(), o.tokenFile != "", encrypted); err != nil {
		return nil, err
	}
	token, err := o.token(env)
	return &service.Admin{Recorder: admin.NewRecorder(), Token: token}, err
}

// token is "" without a file.
func (o *adminOptions) token(env *cli.Env) (string, error) {
	if o.tokenFile == "" {
		return "", nil
	}
	token, err := cli.ReadToken(env, "--admin-token-file", o.tokenFile)
	if err == nil && len(token) < minAdminToken {
		err = cli.Usagef("--admin-token-file %s has a token of %d characters, at least %d are required", o.tokenFile, len(token), minAdminToken)
	}
	return token, err
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
