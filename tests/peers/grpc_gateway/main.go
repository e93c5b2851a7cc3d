// A grpc-gateway as its documentation builds one: an unchanged ServeMux before one gRPC service, for comparison.
//
//	peer 127.0.0.1:UPSTREAM_PORT
//
// It listens on a port of its own choosing and says so on the first line of its output. What it serves is generated when it is built, from
// the same .proto files as everything else here (scripts/fetch_grpc_gateway.py).
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"peer/bookstore"
)

func main() {
	mux := runtime.NewServeMux()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	for _, register := range []func(context.Context, *runtime.ServeMux, string, []grpc.DialOption) error{
		bookstore.RegisterBookstoreHandlerFromEndpoint,
		bookstore.RegisterFeedsHandlerFromEndpoint,
		bookstore.RegisterLaboratoryHandlerFromEndpoint,
	} {
		if err := register(context.Background(), mux, os.Args[1], options); err != nil {
			log.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, mux))
}
