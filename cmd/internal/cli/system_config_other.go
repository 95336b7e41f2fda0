//go:build !windows

package cli

// systemConfig is the config file for every user of the machine.
func systemConfig() string { return "/etc/pmctl/config.toml" }
