/** Connects a peel with the options of its argument, in JSON, and prints the code of the error. Nothing ends it. */
import { connectPeel, type ConnectPeelOptions } from '../../../../src/connection/connect.js';

const options = JSON.parse(process.argv[2] ?? '') as ConnectPeelOptions;
connectPeel(options).catch(({ code }: { code: string }) => process.stdout.write(code));
