package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// remote is a running network that this process only talks to.
type remote struct {
	*cli.Run
	statePath func() (string, error)
}

// commands act on a network that another process serves.
func (r remote) commands() []*cobra.Command {
	return []*cobra.Command{r.mine(), r.round(), r.faucet(), r.recipient()}
}

func (r remote) state() (*chain.DevnetState, error) {
	path, err := r.statePath()
	if err != nil {
		return nil, err
	}
	return chain.ReadDevnetState(path)
}

func (r remote) mine() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mine [BLOCKS]",
		Short:   "Mine blocks on the running network",
		Example: `  pmctl-devnet mine 40`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.advance(cmd.Context(), "/mine", "blocks", args)
		},
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func (r remote) round() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "round [COUNT]",
		Short:   "Let rounds pass on the running network",
		Example: `  pmctl-devnet round 8`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.advance(cmd.Context(), "/round", "count", args)
		},
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// advance asks the control API for more blocks or rounds.
func (r remote) advance(ctx context.Context, path, parameter string, args []string) error {
	count := "1"
	if len(args) == 1 {
		count = args[0]
	}
	if n, err := strconv.ParseUint(count, 10, 64); err != nil || n == 0 {
		return cli.Usagef("%s %q: must be a whole number from 1", strings.ToUpper(parameter), count)
	}
	state, err := r.state()
	if err != nil {
		return err
	}
	var status devnet.Status
	if err := request(ctx, http.MethodPost, state.ControlURL+path+"?"+parameter+"="+count, &status); err != nil {
		return err
	}
	if r.Output == cli.OutputJSON {
		return writeJSON(r.Out, status)
	}
	_, err = fmt.Fprintf(r.Out, "round %d, L1 block %d\n", status.Round, status.L1Block)
	return err
}

func (r remote) faucet() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "faucet ADDRESS AMOUNT",
		Short:   "Give an account ether on the running network",
		Example: `  pmctl-devnet faucet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 10eth`,
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := cli.ParseAddress("ADDRESS", args[0])
			if err != nil {
				return err
			}
			amount, err := cli.ParseAmount("AMOUNT", args[1])
			if err != nil {
				return err
			}
			return r.give(cmd.Context(), to, amount)
		},
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// give sends ether from the network's first account.
func (r remote) give(ctx context.Context, to common.Address, amount wei.Wei) error {
	state, err := r.state()
	if err != nil {
		return err
	}
	if len(state.Accounts) == 0 {
		return cli.WithHint(errors.New("the local network has no funded account"), "restart it with pmctl-devnet --accounts 1")
	}
	key, err := signer.RawKey([]byte(state.Accounts[0].PrivateKey))
	if err != nil {
		return err
	}
	defer key.Close()
	client, err := chain.Dial(ctx, state.RPCURL, state.Network())
	if err != nil {
		return err
	}
	defer client.Close()
	sender := devnet.NewSender(client, key)
	sent, err := sender.Send(ctx, to, amount, nil)
	if err != nil {
		return err
	}
	if _, err := sender.Wait(ctx, sent.Hash()); err != nil {
		return err
	}
	if r.Output == cli.OutputJSON {
		return writeJSON(r.Out, struct {
			Address common.Address `json:"address"`
			Amount  wei.Wei        `json:"amount"`
			TxHash  common.Hash    `json:"tx_hash"`
		}{to, amount, sent.Hash()})
	}
	_, err = fmt.Fprintf(r.Out, "gave %s to %s\n", amount, to)
	return err
}

func (r remote) recipient() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recipient",
		Short: "Show what the running network's first recipient accepted and refused",
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := r.state()
			if err != nil {
				return err
			}
			if len(state.Recipients) == 0 {
				return cli.WithHint(errors.New("the network has no recipient"), "restart it with pmctl-devnet --recipients 1")
			}
			url := state.Recipients[0].StatusURL
			if r.Output == cli.OutputJSON {
				var raw json.RawMessage
				if err := request(cmd.Context(), http.MethodGet, url, &raw); err != nil {
					return err
				}
				_, err := fmt.Fprintf(r.Out, "%s\n", raw)
				return err
			}
			var status recipient.Status
			if err := request(cmd.Context(), http.MethodGet, url, &status); err != nil {
				return err
			}
			writeRecipient(r.Out, status)
			return nil
		},
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// writeRecipient prints the part of a recipient's status that people want.
func writeRecipient(w io.Writer, s recipient.Status) {
	t := s.Tickets
	fmt.Fprintf(w, "accepted  %d of %d tickets, %d credited\n", t.Accepted, t.Received, t.Credited)
	for _, reason := range slices.Sorted(maps.Keys(t.Refused)) {
		fmt.Fprintf(w, "refused   %d: %s\n", t.Refused[reason], reason)
	}
	fmt.Fprintf(w, "won       %d: %d waiting, %d redeemed, %d settled unpaid\n", t.Won, t.Queued, t.Redeemed, t.Settled)
	for _, winner := range s.Winners {
		if winner.Tx != nil {
			fmt.Fprintf(w, "redeemed  nonce %d in %s\n", winner.SenderNonce, winner.Tx)
		}
	}
	for i := range s.Sessions {
		one := &s.Sessions[i]
		fmt.Fprintf(w, "session   %s of %s is %s: %s credited, %s charged\n", one.ID, one.App, one.State, wei.Format(&one.Credit.Rat), wei.Format(&one.Cost.Rat))
	}
}

// request asks the network's own HTTP servers.
func request(ctx context.Context, method, target string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the local network does not answer: %w", neterr.WithoutURL(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // a part of the text will do
		var said struct{ Error string }
		if json.Unmarshal(body, &said) != nil {
			said.Error = string(body)
		}
		return fmt.Errorf("the local network answers %s: %s", res.Status, said.Error)
	}
	return json.NewDecoder(res.Body).Decode(into)
}
