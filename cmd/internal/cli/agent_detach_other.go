//go:build !linux && !darwin

package cli

import (
	"os"

	"github.com/pmctl/pmctl/wallet/agent"
)

func detach([]string, []*os.File) error { return agent.ErrUnsupported }
