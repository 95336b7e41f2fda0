package cmd

import (
	"path/filepath"

	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/policy"
)

// settings are the config files: the system's, which nobody but its owner can change,
// and the user's.
type settings struct{ system, user *config.File }

// settings reads the config files.
func (e *Env) settings() (*settings, error) {
	s := &settings{user: new(config.File)}
	var err error
	if s.system, err = config.Read(e.SystemConfig); err != nil {
		return nil, err
	}
	// Whoever has no home folder has no file in it.
	if dir, err := e.configDir(); err == nil {
		if s.user, err = config.Read(filepath.Join(dir, "config.toml")); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// limits are the defaults with the files' rules over them. Neither the user's file nor
// what comes later can loosen what is in a file before it.
func (s *settings) limits() (policy.Limits, error) {
	limits, err := policy.Default().With(s.system.Rules)
	if err != nil {
		return limits, err
	}
	return limits.With(s.user.Rules)
}

// pick returns the first text that is not empty: a flag's, an environment variable's,
// or a setting's, the user's before the system's.
func (e *Env) pick(flag, variable string, setting func(*config.File) string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if value := e.Getenv(variable); value != "" {
		return value, nil
	}
	s, err := e.settings()
	if err != nil {
		return "", err
	}
	if value := setting(s.user); value != "" {
		return value, nil
	}
	return setting(s.system), nil
}
