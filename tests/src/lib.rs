//! What the tests of the whole family, the load generator, the benchmark and the demonstration share: the family's real
//! programs as processes of this one, and the peers that talk to them.
//!
//! | module | what it gives |
//! |---|---|
//! | [`process`] | a program that runs, with what it wrote to its log; found beside the test's own program |
//! | [`hub`], [`agent`] | the daemons, started with a configuration of their own on free ports |
//! | [`keyed`] | keys of simulated nodes, and what operators do with them |
//! | [`simulated`] | an agent that sends what it is told, speaking the real protocol |
//! | [`make`], [`foreign`] | programs that another compiler builds; the agents among them, and what they live through |
//! | [`text`] | a sender of text lines |
//! | [`bus`] | a subscriber of the ZeroMQ bus |
//! | [`speaker`] | a hub on the bus that the test speaks for |
//! | [`pages`] | lamon-web with open pages, as a browser follows it but without one |
//! | [`receivers`] | servers that take what lamon-notify sends |
//! | [`rts2`] | a client of RTS2, and the real rts2-centrald where there is one |
//! | [`camera`] | the real camera, and the real program that has it expose |
//! | [`wiretap`] | a proxy that records what an agent sends |
//! | [`archive`] | rows of an archive, waited for |
//! | [`witness`] | a good node beside bad peers, and the hub's memory |
//! | [`wait`] | the one deadline of every wait |
//! | [`story`] | the stories that are told with every centrald, archive and sender |
//! | [`visitor`] | the web page with users, and who visits it without a browser |
//! | [`web`] | the web page's server, and the browser that looks at it |
//! | [`chaos`] | faults under load, and the count of what is stored in the end |
//! | [`usage`] | memory and CPU of a process |

pub mod agent;
pub mod archive;
pub mod bus;
pub mod camera;
pub mod chaos;
pub mod foreign;
pub mod hub;
pub mod keyed;
pub mod lamon;
pub mod make;
pub mod pages;
pub mod process;
pub mod receivers;
pub mod rts2;
pub mod simulated;
pub mod speaker;
pub mod story;
pub mod text;
pub mod usage;
pub mod visitor;
pub mod wait;
pub mod web;
pub mod wiretap;
pub mod witness;
