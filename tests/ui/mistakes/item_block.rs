use lockattr::interprocess_lock;

fn main() {
    #[interprocess_lock("i2c-1")]
    {
        println!("in a block");
    }
}
