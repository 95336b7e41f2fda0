package devnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/wei"
)

// routes adds the recipient to the control API, N being its index:
//
//	POST /recipients/N/fault?name=F&on=BOOL   switch a fault; answers {"faults":[…]}
//	POST /recipients/N/runner?name=R&…        change a live runner; answers with its settings
//	POST /recipients/N/servers?fault=F&…      start another server with the same address
//
// The first recipient's servers are started by POST /recipients too. A server's query may name
// several faults, and amounts that differ from the default economy: ev, gas_price,
// max_face_value (such as 1000gwei) and price (wei per pixel). The answer is the recipient as
// in the state file.
//
// A runner's query may have price (wei a unit, for new sessions), sessions (true offers that
// price to open sessions too), capacity (0 is full), fail (the HTTP status with which its app
// fails, 0 for none) and delay (before the app's first byte, such as 200ms).
func (o *ownRecipient) routes(env RecipientEnv) {
	own := fmt.Sprintf("POST /recipients/%d", env.Index)
	env.Handle(own+"/fault", reply(o.switchFault))
	env.Handle(own+"/runner", reply(o.changeRunner))
	env.Handle(own+"/servers", reply(o.addServer))
	if env.Index == 0 {
		env.Handle("POST /recipients", reply(o.addServer))
	}
}

func (o *ownRecipient) switchFault(query url.Values) (any, error) {
	on := true
	if text := query.Get("on"); text != "" {
		var err error
		if on, err = strconv.ParseBool(text); err != nil {
			return nil, fmt.Errorf("on=%s: pass true or false", text)
		}
	}
	server := o.main()
	if err := server.SetFault(query.Get("name"), on); err != nil {
		return nil, err
	}
	return map[string][]string{"faults": server.Status().Faults}, nil
}

func (o *ownRecipient) changeRunner(query url.Values) (any, error) {
	return o.main().ChangeRunner(query.Get("name"), func(r *runners.Runner) error {
		var errs []error
		// read parses a parameter, where there is one.
		read := func(name string, parse func(text string) error) {
			if text := query.Get(name); text != "" {
				if err := parse(text); err != nil {
					errs = append(errs, fmt.Errorf("%s=%s: %w", name, text, err))
				}
			}
		}
		read("price", func(text string) (err error) { r.Price, err = strconv.ParseInt(text, 10, 64); return err })
		read("sessions", func(text string) (err error) { r.SpoilSessions, err = strconv.ParseBool(text); return err })
		read("capacity", func(text string) (err error) { r.Capacity, err = strconv.Atoi(text); return err })
		read("fail", func(text string) (err error) { r.Fail, err = strconv.Atoi(text); return err })
		read("delay", func(text string) (err error) { r.Delay, err = duration.Parse(text); return err })
		return errors.Join(errs...)
	})
}

func (o *ownRecipient) addServer(query url.Values) (any, error) {
	economy := recipient.DefaultEconomy()
	for name, into := range map[string]**big.Int{
		"ev":             &economy.Tickets.EV,
		"gas_price":      &economy.GasPrice,
		"max_face_value": &economy.MaxFaceValue,
	} {
		if text := query.Get(name); text != "" {
			amount, err := wei.Parse(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			*into = amount.Big()
		}
	}
	if text := query.Get("price"); text != "" {
		price, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("price: %w", err)
		}
		economy.PricePerUnit = price
	}
	server, err := o.serve(RecipientConfig{Economy: economy, Faults: query["fault"]})
	if err != nil {
		return nil, err
	}
	return stateOf(server), nil
}

// reply answers with the result of act, or with its error as {"error": "…"}.
func reply(act func(url.Values) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		body, err := act(r.URL.Query())
		if err != nil {
			status, body = http.StatusBadRequest, map[string]string{"error": err.Error()}
			if errors.Is(err, recipient.ErrUnknownFault) || errors.Is(err, runners.ErrUnknownRunner) {
				status = http.StatusNotFound
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}
